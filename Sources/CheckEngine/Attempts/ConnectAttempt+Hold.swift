internal import CLinux
internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

// The phase `hold`: watches an established connection, and reads nothing from it.
extension ConnectAttempt {
    /// Holds the connection until it ends, for the time that the request asks for.
    ///
    /// The hold does not use up the attempt's share of the time, so that TLS and the dialog have what is left of it.
    /// - Returns: whether the next phase may begin.
    func runHold(on socket: borrowing Socket, _ stream: SocketStream, into record: AttemptRecord) async -> Bool {
        guard record.result.error == nil else { return false }
        let begin = Clock.now()
        let end = begin.advanced(byMilliseconds: Int(plan.request.holdMilliseconds))
        let watch = HoldWatch(begin: begin)
        let result = await watch.run(on: stream, until: min(end, plan.deadline))
        note(result, of: socket, into: record)
        let held = Clock.now().since(begin)
        if record.result.error == nil, Clock.now() < end { noteDeadline(of: socket, in: .hold, into: record) }
        let report = watch.report(of: result)
        record.phases.append(PhaseOutcome(.hold, nanoseconds: held, report: report.map(PhaseReport.hold)))
        stream.deadline = min(stream.deadline.advanced(byNanoseconds: held), plan.deadline)
        return record.result.error == nil
    }

    @inline(never)
    private func note(_ result: HoldWatch.Result, of socket: borrowing Socket, into record: AttemptRecord) {
        switch result {
        case .peer(.open): break
        case .peer(.hasData):
            if plan.request.target.isDatagram { record.result.outcome = .answered }
        case .peer(.closed): enter(Classifier.report(for: .closedEarly), in: .hold, into: record)
        case .peer(.failed(let error)): noteFailure(error, of: socket, in: .hold, into: record)
        case .cancelled: noteCancelled(into: record, in: .hold)
        }
    }

    /// Enters the failure of a connect.
    ///
    /// A reset can arrive before the connect is known to have succeeded. The peer had accepted the connection all the same,
    /// so for a check that holds it, this belongs to the hold.
    @inline(never)
    func noteConnectFailure(_ error: Errno, of socket: borrowing Socket, into record: AttemptRecord) {
        let isReset = error.rawValue == ECONNRESET || error.rawValue == EPIPE
        guard isReset, plan.includes(.hold), case .tcp = plan.request.target.peer else {
            return noteFailure(error, of: socket, in: .connect, into: record)
        }
        noteFailure(error, of: socket, in: .hold, into: record)
        let report = HoldReport(.reset, nanoseconds: 0)
        record.phases.append(PhaseOutcome(.hold, nanoseconds: 0, report: .hold(report)))
    }
}

/// One hold: what happened, and when.
private final class HoldWatch {
    enum Result {
        case peer(SocketStream.PeerState)
        case cancelled
    }

    private let begin: MonotonicTime
    private var dataNanoseconds: Int64?

    init(begin: MonotonicTime) {
        self.begin = begin
    }

    func run(on stream: SocketStream, until limit: MonotonicTime) async -> Result {
        do throws(SocketStream.Failure) {
            return .peer(try await stream.watchPeer(until: limit) { dataNanoseconds = elapsed })
        } catch {
            return .cancelled
        }
    }

    /// - Returns: nil for a hold that was cancelled.
    func report(of result: Result) -> HoldReport? {
        switch result {
        case .peer(.open): HoldReport(.open, nanoseconds: elapsed)
        case .peer(.hasData): HoldReport(.data, nanoseconds: dataNanoseconds ?? elapsed)
        case .peer(.closed): HoldReport(.closed, nanoseconds: elapsed)
        case .peer(.failed): HoldReport(.reset, nanoseconds: elapsed)
        case .cancelled: nil
        }
    }

    private var elapsed: Int64 { Clock.now().since(begin) }
}
