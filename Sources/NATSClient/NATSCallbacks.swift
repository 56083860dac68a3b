internal import CNATS
internal import Synchronization

/// What the library calls about one connection, on threads of its own.
///
/// The library knows it by a number, because it may call shortly after a connection was destroyed: then nothing has that
/// number any more.
final class NATSCallbacks: Sendable {
    private struct State {
        var isClosed = false
        var isConnected = false
    }

    private struct Registry {
        var lastNumber: UInt = 0
        var objects: [UInt: NATSCallbacks] = [:]
    }

    private static let registry = Mutex(Registry())

    private let functions: NATSFunctions
    private let onEvent: @Sendable (NATSEvent) -> Void
    private let wake: @Sendable () -> Void
    private let state = Mutex(State())

    init(
        _ functions: NATSFunctions, onEvent: @escaping @Sendable (NATSEvent) -> Void,
        wake: @escaping @Sendable () -> Void
    ) {
        self.functions = functions
        self.onEvent = onEvent
        self.wake = wake
    }

    /// Lets the library find it.
    /// - Returns: the argument of the callbacks, which is a number and never followed as a pointer. Pass it to `remove`.
    func register() -> UnsafeMutableRawPointer? {
        let number = Self.registry.withLock { registry in
            registry.lastNumber += 1
            registry.objects[registry.lastNumber] = self
            return registry.lastNumber
        }
        return UnsafeMutableRawPointer(bitPattern: number)
    }

    static func remove(_ closure: UnsafeMutableRawPointer?) {
        _ = registry.withLock { $0.objects.removeValue(forKey: UInt(bitPattern: closure)) }
    }

    static func from(_ closure: UnsafeMutableRawPointer?) -> NATSCallbacks? {
        registry.withLock { $0.objects[UInt(bitPattern: closure)] }
    }

    var isConnected: Bool { state.withLock { $0.isConnected } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    func noteConnected(_ connection: OpaquePointer?) {
        state.withLock { $0.isConnected = true }
        onEvent(.connected(server: functions.server(of: connection)))
    }

    func noteDisconnected(_ connection: OpaquePointer?) {
        let was = state.withLock { state in
            defer { state.isConnected = false }
            return state.isConnected
        }
        guard was else { return }
        let reason = functions.lastError(of: connection)
        onEvent(.disconnected(reason: reason.isEmpty ? "the broker closed the connection" : reason))
    }

    /// The session itself ends the connection, which is not an event.
    func noteEnd() {
        state.withLock { $0.isConnected = false }
    }

    func noteReconnected(_ connection: OpaquePointer?) {
        noteConnected(connection)
    }

    func noteClosed(_ connection: OpaquePointer?) {
        noteDisconnected(connection)
        state.withLock { $0.isClosed = true }
        wake()
    }

    func noteError(_ status: natsStatus, of connection: OpaquePointer?, _ subscription: OpaquePointer?) {
        guard status != NATS_SLOW_CONSUMER else {
            return onEvent(.slowConsumer(subject: functions.subject(of: subscription)))
        }
        let reason = functions.lastError(of: connection)
        onEvent(.refused(reason: reason.isEmpty ? functions.text(of: status) : reason))
    }
}

/// What the library calls with the messages of one subscription.
///
/// It lives as long as the process, because the library may call it shortly after a subscription was destroyed. A session
/// has a fixed number of them, and a process has one session.
final class NATSReceiver: Sendable {
    let subscription: NATSSubscription
    private let functions: NATSFunctions

    init(_ subscription: NATSSubscription, _ functions: NATSFunctions) {
        self.subscription = subscription
        self.functions = functions
        _ = Unmanaged.passRetained(self)
    }

    /// Takes a message, which the receiver owns, and passes a copy of it on.
    static func receive(_ message: OpaquePointer?, _ closure: UnsafeMutableRawPointer?) {
        guard let closure, let message else { return }
        // SAFETY: the pointer is that of an object which was retained in its initializer, and is never released.
        let receiver = Unmanaged<NATSReceiver>.fromOpaque(closure).takeUnretainedValue()
        let copy = receiver.functions.copy(message, headers: receiver.subscription.headers)
        receiver.functions.table.pointee.natsMsg_Destroy(message)
        receiver.subscription.handler(copy)
    }
}

extension NATSFunctions {
    fileprivate func subject(of subscription: OpaquePointer?) -> String {
        guard let subscription, let text = table.pointee.natsSubscription_GetSubject(subscription) else { return "" }
        return String(cString: text)
    }

    fileprivate func copy(_ message: OpaquePointer, headers: [String]) -> NATSMessage {
        var copy = NATSMessage(table.pointee.natsMsg_GetSubject(message).map { String(cString: $0) } ?? "")
        copy.replyTo = table.pointee.natsMsg_GetReply(message).map { String(cString: $0) }
        copy.isNoResponders = table.pointee.natsMsg_IsNoResponders(message)
        for name in headers {
            var value: UnsafePointer<CChar>?
            guard table.pointee.natsMsgHeader_Get(message, name, &value) == NATS_OK, let value else { continue }
            copy.headers.append((name, String(cString: value)))
        }
        let length = Int(table.pointee.natsMsg_GetDataLength(message))
        guard length <= NATSMessage.longestPayload else {
            copy.omittedBytes = length
            return copy
        }
        guard length > 0, let data = table.pointee.natsMsg_GetData(message) else { return copy }
        copy.payload = Array(UnsafeRawBufferPointer(start: data, count: length))
        return copy
    }
}
