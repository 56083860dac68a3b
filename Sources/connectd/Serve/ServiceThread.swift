import HTTPServer
import NetworkTypes
import SocketIO
import TLS

/// A thread of the service besides the workers, with an event loop of its own: for the TLS handshakes of clients, or for
/// the health listeners.
final class ServiceThread {
    let reactor: Reactor
    private var thread: WorkerThread?

    /// - Parameter index: Follows the indices of the workers.
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
