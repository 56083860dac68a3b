internal import CheckModel
internal import Dialog
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO
internal import TLS

/// A phase that follows the connect. An attempt runs those that its check asks for, in this order.
enum LaterPhase: CaseIterable {
    case hold, tls, preset, dialog

    /// All of them. Unlike `allCases`, it does not make an array for each call.
    static let inOrder: [LaterPhase] = allCases
    /// Those of a datagram socket. It has sent nothing before the dialog, so nothing could end a hold.
    static let ofDatagrams: [LaterPhase] = [.preset, .dialog, .hold]

    /// The phase that a failure is reported in.
    var phase: Phase {
        switch self {
        case .hold: .hold
        case .tls: .tls
        case .preset, .dialog: .dialog
        }
    }
}

extension AttemptPlan {
    /// Whether attempts of this check run that phase. TLS that begins within the dialog belongs to the dialog here.
    ///
    /// Not inlined: the frames of functions that wait would contain a copy of the request.
    @inline(never)
    func includes(_ phase: LaterPhase) -> Bool {
        switch phase {
        case .hold: request.holdMilliseconds > 0
        case .tls: usesTLS && !dialogStartsTLS
        case .preset: request.preset != nil
        case .dialog: dialog != nil
        }
    }

    /// Whether no phase follows the handshake.
    var endsWithTLS: Bool { LaterPhase.inOrder.last(where: includes) == .tls }
}

// The phases after a connect that succeeded.
extension ConnectAttempt {
    var hasLaterPhases: Bool { LaterPhase.inOrder.contains(where: plan.includes) }

    /// Runs them until one fails.
    /// - Parameter sentEarly: how many bytes of the dialog's first step were sent with the SYN.
    @inline(never)
    func runLaterPhases(
        on socket: borrowing Socket, token: inout SlotToken?, sentEarly: Int, into record: AttemptRecord
    ) async {
        guard plan.laterPhaseBytes > 0 else {
            return await runPhases(on: socket, token: &token, sentEarly: sentEarly, into: record)
        }
        let lease = await plan.admission.memory.lease(plan.laterPhaseBytes, on: plan.reactor, until: deadline)
        guard let lease else { return noteNoMemory(into: record) }
        await runPhases(on: socket, token: &token, sentEarly: sentEarly, into: record)
        withExtendedLifetime(lease) {}
    }

    /// Other checks held the memory until the deadline, or the check was canceled.
    @inline(never)
    private func noteNoMemory(into record: AttemptRecord) {
        let phase = LaterPhase.inOrder.first(where: plan.includes)?.phase ?? .connect
        enter(plan.memoryShortage(), in: phase, into: record)
    }

    private func runPhases(
        on socket: borrowing Socket, token: inout SlotToken?, sentEarly: Int, into record: AttemptRecord
    ) async {
        let registered: SlotToken
        do throws(Errno) {
            registered = try prepareForIO(socket, token: &token)
        } catch {
            let first = LaterPhase.inOrder.first(where: plan.includes)
            return noteFailure(error, of: socket, in: first?.phase ?? .connect, into: record)
        }
        // It does not outlive this call, so it does not outlive the socket.
        let stream = SocketStream(on: socket.number, token: registered, reactor: plan.reactor, until: deadline)
        let phases = plan.request.target.isDatagram ? LaterPhase.ofDatagrams : LaterPhase.inOrder
        for phase in phases where plan.includes(phase) {
            let isCompleted =
                switch phase {
                case .hold: await runHold(on: socket, stream, into: record)
                case .tls: await runTLS(on: socket, stream, into: record)
                case .preset: await runPreset(on: socket, stream, into: record)
                case .dialog: await runDialog(on: socket, stream, sentEarly: sentEarly, into: record)
                }
            guard isCompleted else { return }
        }
        if record.result.error == nil { record.tlsAttempt?.sendCloseNotify(on: stream) }
    }

    /// The attempt's TLS, if the check asks for it: one object from the first byte to the report.
    @inline(never)
    func tlsAttempt(of record: AttemptRecord) -> TLSAttempt? {
        if record.tlsAttempt == nil, let options = plan.tls {
            record.tlsAttempt = TLSAttempt(plan: plan, options: options)
        }
        return record.tlsAttempt
    }

    /// Prepares a connected socket for sending and receiving.
    ///
    /// A passing ICMP message would break a connection that TCP itself would continue. A datagram socket learns of a
    /// refusal in no other way.
    private func prepareForIO(_ socket: borrowing Socket, token: inout SlotToken?) throws(Errno) -> SlotToken {
        if case .tcp = plan.request.target.peer, !plan.request.socket.mptcp { try socket.setReceivesErrors(false) }
        if let token { return token }
        let registered = try plan.reactor.addOnThread(socket.number, for: .anything)
        token = registered
        return registered
    }

    /// Runs the handshake. Its outcome is read from the `TLSAttempt` when the whole attempt ends.
    /// - Returns: whether the next phase may begin.
    private func runTLS(on socket: borrowing Socket, _ stream: SocketStream, into record: AttemptRecord) async -> Bool {
        guard let tlsAttempt = tlsAttempt(of: record) else { return true }
        let outcome = await tlsAttempt.start(on: stream)
        note(outcome, of: socket, into: record)
        return outcome == .completed
    }

    @inline(never)
    func note(_ outcome: TLSHandshakeOutcome, of socket: borrowing Socket, into record: AttemptRecord) {
        switch outcome {
        case .completed, .expectedAlert: break
        case .failed(let failure): enter(Classifier.report(for: failure), in: .tls, into: record)
        case .broken(let error): noteFailure(error, of: socket, in: .tls, into: record)
        case .deadline: noteDeadline(of: socket, in: .tls, into: record)
        case .cancelled: noteCancelled(into: record, in: .tls)
        }
    }

    /// Runs the dialog. Its duration does not include that of TLS which begins within it.
    /// - Returns: true, because no phase depends on the dialog.
    private func runDialog(
        on socket: borrowing Socket, _ stream: SocketStream, sentEarly: Int, into record: AttemptRecord
    ) async -> Bool {
        guard let dialog = plan.dialog else { return true }
        let begin = Clock.now()
        let tlsBefore = tlsAttempt(of: record)?.nanoseconds ?? 0
        let runner = DialogRunner(
            dialog, on: stream, framing: MessageFraming(socket.kind), tls: tlsAttempt(of: record))
        note(await runner.run(alreadySent: sentEarly), of: socket, into: record)
        let tls = (record.tlsAttempt?.nanoseconds ?? 0) - tlsBefore
        enter(runner.report, nanoseconds: Clock.now().since(begin) - tls, into: record)
        return true
    }

    @inline(never)
    private func enter(_ report: DialogReport, nanoseconds: Int64, into record: AttemptRecord) {
        record.phases.append(PhaseOutcome(.dialog, nanoseconds: nanoseconds, report: .dialog(report)))
    }

    @inline(never)
    private func note(_ outcome: DialogOutcome, of socket: borrowing Socket, into record: AttemptRecord) {
        let circumstances = plan.circumstances(in: .dialog, of: endpoint)
        switch outcome {
        case .completed(let hasReceived):
            if hasReceived, plan.request.target.isDatagram { record.result.outcome = .answered }
        case .mismatch where lacksTime(in: .dialog, record):
            enter(Classifier.report(for: .proberBusy), in: .dialog, into: record)
        case .mismatch(hasReceived: true):
            enter(Classifier.report(for: .dialogMismatch), in: .dialog, into: record)
        case .mismatch(hasReceived: false):
            enter(Classifier.deadlineReport(in: circumstances), in: .dialog, into: record)
        case .proberBusy:
            enter(Classifier.report(for: .proberBusy), in: .dialog, into: record)
        case .rejected:
            enter(Classifier.report(for: .dialogRejected), in: .dialog, into: record)
        case .closed:
            enter(Classifier.report(for: .dialogClosed), in: .dialog, into: record)
        case .failed(let error):
            noteFailure(error, of: socket, in: .dialog, into: record)
        case .brokenTLS(let failure):
            enter(Classifier.report(for: failure), in: .dialog, into: record)
        case .handshake(let outcome):
            note(outcome, of: socket, into: record)
        case .cancelled:
            noteCancelled(into: record, in: .dialog)
        }
    }
}

// A UNIX-domain path, which another thread opens and connects to.
extension ConnectAttempt {
    /// Runs the later phases on the connected socket.
    func runLaterPhases(from connected: ConnectedSocket, into record: AttemptRecord) async {
        noteSuccess(of: connected.socket, into: record)
        guard hasLaterPhases, record.result.error == nil else { return }
        var token: SlotToken?
        await runLaterPhases(on: connected.socket, token: &token, sentEarly: 0, into: record)
        if let token { plan.reactor.removeOnThread(token) }
    }

    /// The path could not be opened.
    func noteUnopened(_ error: Errno, into record: AttemptRecord) {
        var circumstances = plan.circumstances(in: .connect, of: endpoint)
        circumstances.unixAccess = .searchDenied
        enter(Classifier.report(for: error, in: circumstances), in: .connect, into: record)
    }

    /// Neither open(2) nor connect(2) returned by the deadline.
    func noteUnanswered(into record: AttemptRecord) {
        var circumstances = plan.circumstances(in: .connect, of: endpoint)
        circumstances.unixAccess = .unanswered
        enter(Classifier.deadlineReport(in: circumstances), in: .connect, into: record)
    }
}
