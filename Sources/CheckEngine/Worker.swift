internal import CheckModel
internal import DNS
package import SocketIO

/// One worker: a thread, its reactor, its resolver and its runner of checks.
package final class Worker: Sendable {
    package let reactor: Reactor
    package let runner: CheckRunner

    init(index: Int) throws(Errno) {
        reactor = try Reactor(thread: ReactorThread(index: index))
        runner = CheckRunner(reactor: reactor, resolver: Resolver(reactor: reactor))
    }
}
