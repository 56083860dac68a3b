internal import CAres
internal import CheckModel

/// Which channel a socket belongs to.
final class ChannelContext: Sendable {
    /// The resolver owns the channel, and the channel this.
    unowned let resolver: Resolver
    let identifier: Int

    init(resolver: Resolver, identifier: Int) {
        self.resolver = resolver
        self.identifier = identifier
    }
}

/// Which try an answer belongs to. It keeps the resolver alive until c-ares is done with the try.
final class TryContext: Sendable {
    let resolver: Resolver
    /// No two tries have the same number.
    let number: Int
    let channel: Int
    let question: Int
    let server: Int
    let name: String
    let type: RecordType

    init(
        resolver: Resolver, number: Int, channel: Int, question: Int, server: Int, name: String, type: RecordType
    ) {
        self.resolver = resolver
        self.number = number
        self.channel = channel
        self.question = question
        self.server = server
        self.name = name
        self.type = type
    }
}

// C call-backs are file-scope functions without isolation: made inside an actor's method they would assert its queue.

/// `ares_sock_state_cb`: what c-ares wants to know of a socket; neither means that it is about to close it.
func socketStateChanged(_ data: UnsafeMutableRawPointer?, _ socket: Int32, _ readable: Int32, _ writable: Int32) {
    guard let data else { return }
    // SAFETY: the pointer is that of the channel's own context, which lives longer than its sockets.
    let context = Unmanaged<ChannelContext>.fromOpaque(data).takeUnretainedValue()
    context.resolver.assumeIsolated {
        $0.socketChanged(
            socket, ofChannel: context.identifier, wantsRead: readable != 0, wantsWrite: writable != 0)
    }
}

/// `ares_callback`: the end of one try.
func tryEnded(
    _ argument: UnsafeMutableRawPointer?, _ status: Int32, _ timeouts: Int32, _ message: UnsafeMutablePointer<UInt8>?,
    _ length: Int32
) {
    let error = Errno.current
    guard let argument else { return }
    // SAFETY: the pointer comes from `passRetained` in `ServerChannel.send`; c-ares calls back exactly once.
    let context = Unmanaged<TryContext>.fromOpaque(argument).takeRetainedValue()
    let bytes = Array(UnsafeBufferPointer(start: message, count: message == nil ? 0 : Int(length)))
    let verdict = AnswerVerdict.of(status: status, message: bytes, name: context.name, type: context.type)
    context.resolver.assumeIsolated { $0.ended(context, with: verdict, wasAnswered: !bytes.isEmpty, errno: error) }
}
