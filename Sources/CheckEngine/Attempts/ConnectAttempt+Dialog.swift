internal import CheckModel
internal import SocketIO

// The dialog behind a connect that went well.
extension ConnectAttempt {
    /// Holds the dialog, and turns its ending into the attempt's.
    @inline(never)
    func converse(
        _ dialog: Dialog, on socket: borrowing Socket, token: inout SlotToken?, sentEarly: Int,
        into record: AttemptRecord
    ) async {
        let begin = Clock.now()
        do throws(Errno) {
            try settle(socket)
            let registered: SlotToken
            if let token {
                registered = token
            } else {
                registered = try plan.reactor.addOnThread(socket.number, for: .anything)
                token = registered
            }
            let (report, ending) = await Conversation(dialog: dialog).run(
                on: socket, token: registered, reactor: plan.reactor, isDatagram: plan.request.target.isDatagram,
                alreadySent: sentEarly, until: deadline)
            record.dialog = report
            note(ending, of: socket, into: record)
        } catch {
            noteFailure(error, of: socket, in: .dialog, into: record)
        }
        record.dialogNanoseconds = Clock.now().since(begin)
    }

    /// One passing ICMP message would break a connection that TCP itself would carry on. A datagram socket has no other
    /// way to hear of a refusal.
    private func settle(_ socket: borrowing Socket) throws(Errno) {
        guard case .tcp = plan.request.target.peer, !plan.request.socket.mptcp else { return }
        try socket.setReceivesErrors(false)
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
        case .closed:
            enter(Classifier.report(for: .dialogClosed), in: .dialog, into: record)
        case .failed(let error):
            noteFailure(error, of: socket, in: .dialog, into: record)
        case .cancelled:
            noteCancelled(into: record, in: .dialog)
        }
    }
}
