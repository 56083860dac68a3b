internal import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import TLS

// What is done on a connection behind a connect that went well: TLS, then the dialog.
extension ConnectAttempt {
    /// Whether anything is left to do once the connection is there.
    var goesOn: Bool { plan.dialog != nil || plan.usesTLS }

    @inline(never)
    func goOn(
        on socket: borrowing Socket, token: inout SlotToken?, sentEarly: Int, into record: AttemptRecord
    ) async {
        let registered: SlotToken
        do throws(Errno) {
            registered = try settle(socket, token: &token)
        } catch {
            return noteFailure(error, of: socket, in: plan.tls == nil ? .dialog : .tls, into: record)
        }
        let security = security(of: record)
        if let security, !plan.dialogStartsTLS {
            guard await secure(security, on: socket, token: registered, into: record) else { return }
        }
        if let dialog = plan.dialog {
            await converse(
                dialog, security, on: socket, token: registered, sentEarly: security == nil ? sentEarly : 0,
                into: record)
        }
        if record.result.error == nil { security?.sayGoodbye(on: socket) }
    }

    /// The attempt's TLS, where the check asks for it: one object from the first byte to the report.
    func security(of record: AttemptRecord) -> AttemptTLS? {
        if record.security == nil, let options = plan.tls {
            record.security = AttemptTLS(plan: plan, options: options, deadline: deadline)
        }
        return record.security
    }

    /// Makes a socket that has connected ready for talk.
    ///
    /// One passing ICMP message would break a connection that TCP itself would carry on. A datagram socket has no other
    /// way to hear of a refusal.
    private func settle(_ socket: borrowing Socket, token: inout SlotToken?) throws(Errno) -> SlotToken {
        if case .tcp = plan.request.target.peer, !plan.request.socket.mptcp { try socket.setReceivesErrors(false) }
        if let token { return token }
        let registered = try plan.reactor.addOnThread(socket.number, for: .anything)
        token = registered
        return registered
    }

    /// Holds the dialog, and turns its ending into the attempt's.
    private func converse(
        _ dialog: Dialog, _ security: AttemptTLS?, on socket: borrowing Socket, token: SlotToken, sentEarly: Int,
        into record: AttemptRecord
    ) async {
        let begin = Clock.now()
        let tlsBefore = security?.nanoseconds ?? 0
        let (report, ending) = await Conversation(dialog: dialog, security: security).run(
            on: socket, token: token, reactor: plan.reactor, isDatagram: plan.request.target.isDatagram,
            alreadySent: sentEarly, until: deadline)
        record.dialog = report
        note(ending, of: socket, into: record)
        record.dialogNanoseconds = Clock.now().since(begin) - ((security?.nanoseconds ?? 0) - tlsBefore)
    }

    @inline(never)
    private func note(_ ending: DialogEnding, of socket: borrowing Socket, into record: AttemptRecord) {
        let circumstances = plan.circumstances(in: .dialog, of: endpoint)
        switch ending {
        case .completed(let heard):
            if heard, plan.request.target.isDatagram { record.result.outcome = .answered }
        case .mismatch(heard: true):
            enter(Classifier.report(for: .dialogMismatch), in: .dialog, into: record)
        case .mismatch(heard: false):
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
        case .handshake(let ending):
            note(ending, of: socket, into: record)
        case .cancelled:
            noteCancelled(into: record, in: .dialog)
        }
    }
}

// The handshake behind a connect that went well, and in front of the dialog.
extension ConnectAttempt {
    /// Runs the handshake, and turns its ending into the attempt's.
    /// - Returns: whether the attempt goes on behind it.
    func secure(
        _ security: AttemptTLS, on socket: borrowing Socket, token: SlotToken, into record: AttemptRecord
    ) async -> Bool {
        let ending = await security.begin(on: socket, token: token)
        note(ending, of: socket, into: record)
        return ending == .completed
    }

    @inline(never)
    func note(_ ending: TLSHandshakeEnding, of socket: borrowing Socket, into record: AttemptRecord) {
        switch ending {
        case .completed, .expectedAlert: break
        case .failed(let failure): enter(Classifier.report(for: failure), in: .tls, into: record)
        case .broken(let error): noteFailure(error, of: socket, in: .tls, into: record)
        case .deadline: noteDeadline(of: socket, in: .tls, into: record)
        case .cancelled: noteCancelled(into: record, in: .tls)
        }
    }
}

// A UNIX-domain path: another thread has opened it and connected.
extension ConnectAttempt {
    /// Goes on with the socket that was connected.
    func goOn(from connected: ConnectedSocket, into record: AttemptRecord) async {
        noteSuccess(of: connected.socket, into: record)
        guard goesOn, record.result.error == nil else { return }
        var token: SlotToken?
        await goOn(on: connected.socket, token: &token, sentEarly: 0, into: record)
        if let token { plan.reactor.removeOnThread(token) }
    }

    /// The path led nowhere.
    func noteUnopened(_ error: Errno, into record: AttemptRecord) {
        var circumstances = plan.circumstances(in: .connect, of: endpoint)
        circumstances.unixAccess = .searchDenied
        enter(Classifier.report(for: error, in: circumstances), in: .connect, into: record)
    }

    /// Opening the path, or connecting, did not return by the deadline.
    func noteUnanswered(into record: AttemptRecord) {
        var circumstances = plan.circumstances(in: .connect, of: endpoint)
        circumstances.unixAccess = .unanswered
        enter(Classifier.deadlineReport(in: circumstances), in: .connect, into: record)
    }
}
