import CheckModel
import HTTPServer
import SocketIO
import TLSServer

/// The thread on which clients of an HTTPS listener shake hands.
final class HandshakeThread {
    let reactor: Reactor
    private var thread: WorkerThread?

    /// - Parameter index: behind those of the workers.
    init(index: Int) throws(Errno) {
        reactor = try Reactor(thread: ReactorThread(index: index))
        thread = try WorkerThread(running: reactor)
    }

    func front(_ context: ServerContext) -> HTTPSFront {
        HTTPSFront(context: context, reactor: reactor)
    }

    func stop() {
        thread.take()?.stopAndJoin()
    }
}
