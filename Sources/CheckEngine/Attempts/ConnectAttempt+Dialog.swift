internal import CheckModel
internal import SocketIO

// The dialog behind a connect that went well.
extension ConnectAttempt {
    /// Holds the dialog, and turns its ending into the attempt's.
    func converse(
        _ dialog: Dialog, on socket: borrowing Socket, token: inout SlotToken?, sentEarly: Int,
        into outcome: inout AttemptOutcome
    ) async {
        let begin = Clock.now()
        do throws(Errno) {
            let registered: SlotToken
            if let token {
                registered = token
                // One passing ICMP message would break a connection that TCP itself would carry on.
                if !plan.request.socket.mptcp { try socket.setReceivesErrors(false) }
            } else {
                registered = try await plan.reactor.add(socket.number, for: [.readable, .writable, .peerClosed])
                token = registered
            }
            let (report, ending) = await Conversation(dialog: dialog).run(
                on: socket, token: registered, reactor: plan.reactor, isDatagram: plan.request.target.isDatagram,
                alreadySent: sentEarly, until: deadline)
            outcome.dialog = report
            note(ending, of: socket, into: &outcome)
        } catch {
            noteFailure(error, of: socket, in: .dialog, into: &outcome)
        }
        outcome.dialogNanoseconds = Clock.now().since(begin)
    }

    private func note(_ ending: DialogEnding, of socket: borrowing Socket, into outcome: inout AttemptOutcome) {
        let circumstances = plan.circumstances(in: .dialog, of: endpoint)
        switch ending {
        case .completed(let heard):
            if heard, plan.request.target.isDatagram { outcome.result.outcome = .answered }
        case .mismatch(heard: true):
            record(Classifier.report(for: .dialogMismatch), in: .dialog, into: &outcome)
        case .mismatch(heard: false):
            record(Classifier.deadlineReport(in: circumstances), in: .dialog, into: &outcome)
        case .closed:
            record(Classifier.report(for: .dialogClosed), in: .dialog, into: &outcome)
        case .failed(let error):
            noteFailure(error, of: socket, in: .dialog, into: &outcome)
        case .cancelled:
            noteCancelled(into: &outcome, in: .dialog)
        }
    }
}
