internal import CheckModel
internal import DNS
public import SocketIO

/// One worker: a thread, its reactor, its resolver and its runner of checks.
public final class Worker: Sendable {
    public let reactor: Reactor
    public let runner: CheckRunner

    init(index: Int, admission: Admission, blocking: BlockingThreads) throws(Errno) {
        reactor = try Reactor(thread: ReactorThread(index: index))
        runner = CheckRunner(
            reactor: reactor, resolver: Resolver(reactor: reactor), admission: admission, blocking: blocking)
    }
}
