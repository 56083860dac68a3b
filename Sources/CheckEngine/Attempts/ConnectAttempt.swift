internal import CLinux
internal import CheckModel
internal import Dialog
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// One attempt: socket, options, bind, connect, writable, SO_ERROR, names, evidence.
///
/// A failure is a result with the phase in which it happened. `run` owns the socket and closes it in every case.
/// It is an object because the frames of all functions that wait would otherwise contain copies of its members.
final class ConnectAttempt: Sendable {
    let plan: AttemptPlan
    let endpoint: Endpoint
    /// These two fit into the padding of `endpoint`, and cost no memory.
    let options: AttemptOptions
    let deadline: MonotonicTime

    /// - Parameter options: nil for those of the request.
    init(plan: AttemptPlan, endpoint: Endpoint, options: AttemptOptions? = nil, deadline: MonotonicTime) {
        self.plan = plan
        self.endpoint = endpoint
        self.options = options ?? AttemptOptions(of: plan.request)
        self.deadline = deadline
    }

    /// Runs the attempt on the caller's actor, which shares the reactor's thread.
    func run() async -> AttemptOutcome {
        let record = AttemptRecord(of: endpoint, checkStart: plan.start)
        await run(into: record)
        return record.finished()
    }

    private func run(into record: AttemptRecord) async {
        do throws(Errno) {
            let socket = try Socket(plan.socketKind(for: endpoint))
            await connect(socket, into: record)
        } catch {
            fail(record, with: error, in: .socket)
        }
    }

    private func connect(_ socket: borrowing Socket, into record: AttemptRecord) async {
        guard prepare(socket, into: record) else { return }
        var token: SlotToken?
        var sentEarly = 0
        let event = await finishConnect(socket, token: &token, sentEarly: &sentEarly, record)
        note(event, of: socket, into: record)
        if event == .connected, hasLaterPhases, record.result.error == nil {
            await runLaterPhases(on: socket, token: &token, sentEarly: sentEarly, into: record)
        }
        if let token { plan.reactor.removeOnThread(token) }
    }

    /// Enters the end of the connect into the record.
    @inline(never)
    func note(_ event: ConnectEvent, of socket: borrowing Socket, into record: AttemptRecord) {
        switch event {
        case .connected: noteSuccess(of: socket, into: record)
        case .failed(let error): noteConnectFailure(error, of: socket, into: record)
        case .deadline: noteDeadline(of: socket, in: .connect, into: record)
        case .cancelled: noteCancelled(into: record, in: .connect)
        }
    }

    /// Sets the options, and binds.
    /// - Returns: false if the kernel refused it; the record then has the error.
    @inline(never)
    func prepare(_ socket: borrowing Socket, into record: AttemptRecord) -> Bool {
        guard case .ip(let endpoint) = endpoint else { return true }
        do throws(SocketSetup.Refusal) {
            try SocketSetup(plan: plan, options: options).apply(to: socket, for: endpoint)
            return true
        } catch {
            fail(record, with: error.errno, in: error.phase)
            return false
        }
    }

    /// How a connect ends.
    enum ConnectEvent: Equatable {
        case connected, deadline, cancelled
        case failed(Errno)
    }

    /// connect(2). While that is in progress, waits until the socket is writable, and then reads SO_ERROR.
    private func finishConnect(
        _ socket: borrowing Socket, token: inout SlotToken?, sentEarly: inout Int, _ record: AttemptRecord
    ) async -> ConnectEvent {
        do throws(Errno) {
            switch try socket.connect(to: endpoint) {
            case .complete:
                guard opensFast else { return .connected }
                sentEarly = try sendFirstBytes(on: socket, record)
            case .inProgress: break
            }
            let registered = try plan.reactor.addOnThread(socket.number, for: .anything)
            token = registered
            switch await plan.reactor.waitOnThread(registered, for: .writable, until: deadline) {
            case .deadline: return .deadline
            case .cancelled: return .cancelled
            case .ready: break
            }
            if let error = try socket.takePendingError() { return .failed(error) }
            return .connected
        } catch {
            return .failed(error)
        }
    }
}

// TCP Fast Open, RFC 7413.
extension ConnectAttempt {
    /// Whether TCP Fast Open applies: it does not to other transports.
    private var opensFast: Bool {
        guard case .tcp = plan.request.target.peer else { return false }
        return plan.request.socket.tcpFastOpen
    }

    /// With a cached cookie, connect(2) returns 0 and sends nothing. The first bytes are then sent with the SYN.
    /// - Returns: how many bytes of the dialog's first step the kernel accepted.
    @inline(never)
    private func sendFirstBytes(on socket: borrowing Socket, _ record: AttemptRecord) throws(Errno) -> Int {
        if let tlsAttempt = tlsAttempt(of: record), !plan.dialogStartsTLS {
            return try tlsAttempt.sendFirstFlight(on: socket)
        }
        return try socket.sendFirst(plan.dialog?.firstBytes ?? [])
    }
}

extension Socket {
    /// Sends the first bytes of a connection.
    /// - Returns: how many the kernel accepted. It is 0 if the kernel requests a cookie first; send the bytes again then.
    borrowing func sendFirst(_ bytes: [UInt8]) throws(Errno) -> Int {
        do throws(Errno) {
            return try send(bytes[...])
        } catch {
            guard error.rawValue == EINPROGRESS || error.rawValue == EAGAIN else { throw error }
            return 0
        }
    }
}

// The outcome of the connect. None of these functions is inlined: the frame of `connect` exists as long as an attempt
// waits, and would have to hold their temporaries.
extension ConnectAttempt {
    @inline(never)
    func noteSuccess(of socket: borrowing Socket, into record: AttemptRecord) {
        switch endpoint {
        case .unix: noteUnixSuccess(of: socket, into: record)
        case .ip: noteInternetSuccess(of: socket, into: record)
        }
    }

    private func noteUnixSuccess(of socket: borrowing Socket, into record: AttemptRecord) {
        record.result.outcome = plan.request.target.isDatagram ? .associated : .connected
        record.result.peerCredentials = socket.peerCredentials()
    }

    private func noteInternetSuccess(of socket: borrowing Socket, into record: AttemptRecord) {
        record.result.local = socket.localName()
        record.result.peer = record.result.peer ?? socket.peerName()
        if case .udp = plan.request.target.peer {
            record.result.outcome = .associated
            return
        }
        if let information = socket.tcpInformation() {
            record.result.tcpInformation = information.values
            if plan.request.isHalfOpen {
                record.result.hasSentLastACK = information.segmentsSent > information.values.synSent
            }
            // Only the state proves success. A reset may arrive just after SO_ERROR was read. Without a reset, the connect has
            // not ended after all: a defect of connectd or of the kernel, which must not be reported as success.
            if !information.isEstablished {
                let error = (try? socket.takePendingError()) ?? Errno(EINPROGRESS)
                return noteConnectFailure(error, of: socket, into: record)
            }
        } else if let error = try? socket.takePendingError() {
            return noteConnectFailure(error, of: socket, into: record)
        }
        if let local = record.result.local, local == record.result.peer {
            enter(Classifier.report(for: .selfConnect), in: .connect, into: record)
            return
        }
        if options.close == .rst { try? socket.setResetsOnClose() }
    }

    @inline(never)
    func noteFailure(
        _ error: Errno, of socket: borrowing Socket, in phase: Phase, into record: AttemptRecord
    ) {
        record.result.local = record.result.local ?? socket.localName()
        let evidence = Evidence(of: error, on: socket, endpoint: endpoint)
        record.result.icmp = evidence.icmp
        if record.result.tcpInformation == nil { record.result.tcpInformation = socket.tcpInformation()?.values }
        var circumstances = plan.circumstances(in: phase, of: endpoint)
        evidence.describe(error, in: &circumstances)
        if phase == .connect { noteSYNs(of: socket, into: record, &circumstances) }
        record.result.icmpSender = circumstances.icmpSender
        enter(Classifier.report(for: error, in: circumstances), in: phase, into: record)
    }

    @inline(never)
    func noteDeadline(of socket: borrowing Socket, in phase: Phase, into record: AttemptRecord) {
        record.result.local = record.result.local ?? socket.localName()
        record.result.tcpInformation = socket.tcpInformation()?.values
        var circumstances = plan.circumstances(in: phase, of: endpoint)
        if phase == .connect { noteSYNs(of: socket, into: record, &circumstances) }
        if lacksTime(in: phase, record) { return enter(Classifier.report(for: .proberBusy), in: phase, into: record) }
        circumstances.isBeforeTLS = record.tlsAttempt?.isBeforeHandshake ?? false
        enter(Classifier.deadlineReport(in: circumstances), in: phase, into: record)
    }

    /// Whether connectd itself used up the time in which the peer could have answered, because it did not run. The kernel
    /// continues a connect meanwhile, so that phase lacks time only if it began late.
    func lacksTime(in phase: Phase, _ record: AttemptRecord) -> Bool {
        guard plan.wasStalled else { return false }
        guard phase == .connect else { return true }
        let left = deadline.since(plan.start) - record.result.startNanoseconds
        return left < Int64(plan.request.timeoutMilliseconds) * 250_000
    }

    /// Adds what became of the SYNs of a connect that failed.
    private func noteSYNs(
        of socket: borrowing Socket, into record: AttemptRecord, _ circumstances: inout Circumstances
    ) {
        // If several SYNs were sent, or an earlier rule knows better, there is nothing to add.
        if record.result.tcpInformation?.synSent == 1, record.result.tcpInformation?.unsent == nil {
            if circumstances.icmpSender == .prober, let icmp = circumstances.icmp {
                record.result.tcpInformation?.noteUnsent(icmp.isHostUnreachable ? .queued : .dropped)
            } else if socket.hasWaitingPackets() {
                record.result.tcpInformation?.noteUnsent(.queued)
            }
        }
        circumstances.tcpInformation = record.result.tcpInformation
    }

    @inline(never)
    func noteCancelled(into record: AttemptRecord, in phase: Phase) {
        enter(Classifier.report(for: OwnError.cancelled), in: phase, into: record)
    }

    @inline(never)
    func fail(_ record: AttemptRecord, with error: Errno, in phase: Phase) {
        let report = Classifier.report(for: error, in: plan.circumstances(in: phase, of: endpoint))
        enter(report, in: phase, into: record)
    }

    func enter(_ report: ErrorReport, in phase: Phase, into record: AttemptRecord) {
        record.result.outcome = .failed(report.errorClass)
        record.result.phase = phase
        record.result.error = report
    }
}
