import CheckEngine
import CheckModel
import NetworkTypes
import SocketIO

/// Runs one trace on one worker, without a service.
struct TraceSession {
    let check: PreparedCheck
    let context: CheckContext

    private enum Event {
        case progress(TraceEvent)
        case finished(TraceAnswer)
    }

    /// More sockets than a trace uses.
    private static let sockets = 64

    /// Runs the trace. A signal ends it early.
    /// - Parameter onEvent: called on the calling thread while the trace runs.
    /// - Returns: what became of the trace, and the signal that ended it.
    func run(_ onEvent: (TraceEvent) -> Void) throws -> (TraceAnswer, signal: Int32?) {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: Self.sockets, queueLimit: 0))
        let events = try BlockingQueue<Event>()
        var interrupts = Interrupts()
        let threads = try pool.start()
        let service = LocalCheckService(pool, worker: 0, isBalanced: false)
        let task = Task(executorPreference: pool.workers[0].reactor.thread) { [check, context] in
            let answer = await service.trace(check, in: context) { events.append(.progress($0)) }
            events.append(.finished(answer))
        }
        var signal: Int32?
        var answer = TraceAnswer.notStarted
        wait: while true {
            switch events.next(until: nil, or: interrupts) {
            case .element(.progress(let event)): onEvent(event)
            case .element(.finished(let found)):
                answer = found
                break wait
            case .signal(let number):
                signal = number
                task.cancel()
            case .deadline: break
            }
        }
        threads.stopAndJoin()
        interrupts.restore()
        return (answer, signal)
    }
}
