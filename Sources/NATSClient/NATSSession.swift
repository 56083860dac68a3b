internal import CNATS
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// A connection to a cluster of brokers that connects again whenever it is lost, with a thread of its own.
///
/// The thread connects and sends, because both can block: connect(2), a TLS handshake, and a broker that does not read.
public final class NATSSession: Sendable {
    private struct State {
        var outgoing: [NATSMessage] = []
        var outgoingBytes = 0
        var callbacks: NATSCallbacks?
        var endsAnswers = false
        var isEnded = false
        var droppedCount: UInt64 = 0
    }

    /// The most bytes of messages that wait to be sent. When they are full, the broker is too slow.
    private static let outgoingLimit = 16 << 20
    /// The waits before further attempts to connect, in milliseconds.
    private static let waits = [500, 1000, 2000, 5000]

    private let functions: NATSFunctions
    private let options: NATSOptions
    private let receivers: [NATSReceiver]
    private let onEvent: @Sendable (NATSEvent) -> Void
    private let state = Mutex(State())
    private let wakeup: WakeupDescriptor
    private let thread = Mutex<NATSThread?>(nil)

    /// Loads the library and begins to connect; `onEvent` tells what becomes of it.
    /// - Parameter onEvent: called on threads of the library and of the session. It must not block.
    /// - Throws: if the library cannot be loaded, an option is invalid, or no thread can be started.
    public init(
        _ options: NATSOptions, subscriptions: [NATSSubscription],
        onEvent: @escaping @Sendable (NATSEvent) -> Void
    ) throws(NATSFailure) {
        let functions = NATSFunctions(table: try NATSLibrary.load())
        self.functions = functions
        self.options = options
        self.onEvent = onEvent
        wakeup = try WakeupDescriptor()
        receivers = subscriptions.map { NATSReceiver($0, functions) }
        // An invalid option is an error at the start, not at each attempt.
        _ = try NATSOptionsHandle(options, functions, closure: nil)
        let started = try NATSThread { [self] in run() }
        thread.withLock { $0 = started }
    }

    public var isConnected: Bool { state.withLock { $0.callbacks }?.isConnected ?? false }

    /// Messages that were not sent, because the broker was too slow or had left.
    public var droppedCount: UInt64 { state.withLock { $0.droppedCount } }

    /// Sends a message soon.
    /// - Returns: false if there is no connection, or too many messages wait already; then it is not sent.
    @discardableResult
    public func publish(_ message: NATSMessage) -> Bool {
        let isFirst = state.withLock { state -> Bool? in
            guard state.callbacks?.isConnected == true, state.outgoingBytes < Self.outgoingLimit else {
                state.droppedCount += 1
                return nil
            }
            state.outgoing.append(message)
            state.outgoingBytes += message.payload.count + 256
            return state.outgoing.count == 1
        }
        if isFirst == true { wakeup.signal() }
        return isFirst != nil
    }

    /// Ends the subscriptions that end with a drain, so that the broker sends new requests to other instances.
    public func stopAnswering() {
        state.withLock { $0.endsAnswers = true }
        wakeup.signal()
    }

    /// Sends what waits, closes the connection and waits for the thread. Do not call it on a thread of the library.
    public func close() {
        state.withLock { $0.isEnded = true }
        wakeup.signal()
        thread.withLock { $0.take() }?.join()
    }
}

extension NATSSession {
    private var isEnded: Bool { state.withLock { $0.isEnded } }

    private func run() {
        var failures = 0
        while !isEnded {
            if let reason = serveOnce() {
                onEvent(.failed(reason: reason))
                let wait = Self.waits[min(failures, Self.waits.count - 1)]
                failures += 1
                wakeup.wait(milliseconds: wait / 2 + Int.random(in: 0...wait / 2))
            } else {
                failures = 0
            }
        }
    }

    /// Connects, and serves until the connection is closed for good or the session ends.
    /// - Returns: why it could not connect; nil if it did.
    private func serveOnce() -> String? {
        let callbacks = NATSCallbacks(functions, onEvent: onEvent) { [wakeup] in wakeup.signal() }
        let closure = callbacks.register()
        defer { NATSCallbacks.remove(closure) }
        do throws(NATSFailure) {
            let connection = try connect(closure)
            defer { functions.table.pointee.natsConnection_Destroy(connection) }
            var subscriptions: [OpaquePointer] = []
            defer { subscriptions.forEach { functions.table.pointee.natsSubscription_Destroy($0) } }
            for receiver in receivers { subscriptions.append(try subscribe(receiver, on: connection)) }
            state.withLock { $0.callbacks = callbacks }
            callbacks.noteConnected(connection)
            serve(connection, callbacks, subscriptions)
            state.withLock { $0.callbacks = nil }
            if isEnded { callbacks.noteEnd() }
            functions.table.pointee.natsConnection_Close(connection)
            return nil
        } catch {
            return error.description
        }
    }

    private func connect(_ closure: UnsafeMutableRawPointer?) throws(NATSFailure) -> OpaquePointer {
        let handle = try NATSOptionsHandle(options, functions, closure: closure)
        var connection: OpaquePointer?
        let status = functions.table.pointee.natsConnection_Connect(&connection, handle.pointer)
        try functions.check(status, "cannot connect to \(options.servers.joined(separator: ", "))")
        guard let connection else { throw NATSFailure("libnats returned no connection") }
        return connection
    }

    private func subscribe(
        _ receiver: NATSReceiver, on connection: OpaquePointer
    ) throws(NATSFailure) -> OpaquePointer {
        let it = receiver.subscription
        let closure = Unmanaged.passUnretained(receiver).toOpaque()
        let handler: natsMsgHandler = { NATSReceiver.receive($2, $3) }
        var subscription: OpaquePointer?
        let status =
            if let group = it.group {
                functions.table.pointee.natsConnection_QueueSubscribe(
                    &subscription, connection, it.subject, group, handler, closure)
            } else {
                functions.table.pointee.natsConnection_Subscribe(
                    &subscription, connection, it.subject, handler, closure)
            }
        try functions.check(status, "cannot subscribe to \(it.subject)")
        guard let subscription else { throw NATSFailure("libnats returned no subscription of \(it.subject)") }
        _ = functions.table.pointee.natsSubscription_SetPendingLimits(subscription, 65_536, 16 << 20)
        return subscription
    }

    private func serve(
        _ connection: OpaquePointer, _ callbacks: NATSCallbacks, _ subscriptions: [OpaquePointer]
    ) {
        var answers = true
        while !callbacks.isClosed {
            let (messages, endsAnswers, isEnded) = state.withLock { state in
                defer {
                    state.outgoing.removeAll(keepingCapacity: state.outgoing.count <= 1024)
                    state.outgoingBytes = 0
                }
                return (state.outgoing, state.endsAnswers, state.isEnded)
            }
            for message in messages { send(message, on: connection, callbacks) }
            if endsAnswers, answers {
                answers = false
                endAnswers(of: subscriptions)
            }
            if isEnded { return }
            if messages.isEmpty { wakeup.wait(milliseconds: nil) }
        }
    }

    /// Messages that have arrived are still handled, so the subscriptions are destroyed with the connection.
    private func endAnswers(of subscriptions: [OpaquePointer]) {
        for (receiver, subscription) in zip(receivers, subscriptions) where receiver.subscription.endsWithDrain {
            _ = functions.table.pointee.natsSubscription_Drain(subscription)
        }
    }

    /// A message that cannot be sent now is dropped: it would arrive too late.
    private func send(_ message: NATSMessage, on connection: OpaquePointer, _ callbacks: NATSCallbacks) {
        let isSent = callbacks.isConnected && transmit(message, on: connection)
        if !isSent { state.withLock { $0.droppedCount += 1 } }
    }

    private func transmit(_ message: NATSMessage, on connection: OpaquePointer) -> Bool {
        let table = functions.table
        var created: OpaquePointer?
        // SAFETY: bytes may be read as characters, and the library copies them.
        let status = message.payload.withUnsafeBytes { bytes in
            table.pointee.natsMsg_Create(
                &created, message.subject, message.replyTo,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        guard status == NATS_OK, let created else { return false }
        defer { table.pointee.natsMsg_Destroy(created) }
        for header in message.headers {
            guard table.pointee.natsMsgHeader_Set(created, header.name, header.value) == NATS_OK else { return false }
        }
        return table.pointee.natsConnection_PublishMsg(connection, created) == NATS_OK
    }
}
