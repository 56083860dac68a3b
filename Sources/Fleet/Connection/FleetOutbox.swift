internal import NATSClient
internal import Synchronization

/// Sends messages of the fleet. It exists before its session, because the session's subscriptions answer through it.
final class FleetOutbox: Sendable {
    private let session = Mutex<NATSSession?>(nil)

    func open(_ session: NATSSession) {
        self.session.withLock { $0 = session }
    }

    /// Ends the use of the session, and returns it.
    func close() -> NATSSession? {
        session.withLock { $0.take() }
    }

    var current: NATSSession? { session.withLock { $0 } }

    var isConnected: Bool { current?.isConnected ?? false }

    /// - Returns: false if the message cannot be sent now.
    func send(_ message: NATSMessage) -> Bool {
        current?.publish(message) ?? false
    }
}
