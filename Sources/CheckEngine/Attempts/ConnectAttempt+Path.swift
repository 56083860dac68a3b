internal import CheckModel
internal import SocketIO

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
