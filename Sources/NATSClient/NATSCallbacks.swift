internal import CNATS
internal import Synchronization

/// What the library calls about one connection, on threads of its own.
///
/// It lives as long as the process: the library may call it shortly after a connection was destroyed. A session makes
/// one for each connect that replaces a closed connection, which is rare.
final class NATSCallbacks: Sendable {
    private struct State {
        var isClosed = false
        var isConnected = false
    }

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
        _ = Unmanaged.passRetained(self)
    }

    static func from(_ closure: UnsafeMutableRawPointer?) -> NATSCallbacks? {
        // SAFETY: the pointer is that of an object which was retained in its initializer, and is never released.
        closure.map { Unmanaged<NATSCallbacks>.fromOpaque($0).takeUnretainedValue() }
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

/// What the library calls with the messages of one subscription. It lives as long as the process, like `NATSCallbacks`;
/// a session has a fixed number of them.
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
