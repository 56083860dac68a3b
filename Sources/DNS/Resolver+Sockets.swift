internal import CAres
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

// c-ares' sockets and timeouts, in the reactor.
extension Resolver {
    /// Called by c-ares when its interest in a socket changes. A socket without interest is still open, and is about to
    /// be closed.
    func socketChanged(_ socket: Int32, ofChannel identifier: Int, wantsRead: Bool, wantsWrite: Bool) {
        guard let channel = groups.channel(identifier) else { return }
        var interest: Readiness = []
        if wantsRead { interest.insert(.readable) }
        if wantsWrite { interest.insert(.writable) }
        let token = channel.watches[socket]
        switch (token, interest.isEmpty) {
        case (let token?, true):
            channel.watches[socket] = nil
            reactor.assumeIsolated { $0.unwatch(token, socket) }
        case (let token?, false):
            reactor.assumeIsolated { try? $0.modify(token, socket, for: interest) }
        case (nil, false):
            channel.unwatched[socket] = interest
            _ = watchAgain(channel)
        case (nil, true):
            channel.unwatched[socket] = nil
        }
    }

    /// Watches the sockets that could not be watched before.
    /// - Returns: ENOSPC or ENOMEM if the kernel allows no further watch. The answers of those sockets are not
    /// received.
    func watchAgain(_ channel: ServerChannel) -> Errno? {
        for (socket, interest) in channel.unwatched {
            do throws(Errno) {
                channel.watches[socket] = try watch(socket, ofChannel: channel.identifier, for: interest)
                channel.unwatched[socket] = nil
            } catch {
                return error
            }
        }
        return nil
    }

    private func watch(
        _ socket: Int32, ofChannel identifier: Int, for interest: Readiness
    ) throws(Errno) -> SlotToken {
        let result = reactor.assumeIsolated { reactor -> Result<SlotToken, Errno> in
            do throws(Errno) {
                return .success(
                    try reactor.watch(socket, for: interest, edgeTriggered: false) { [weak self] readiness in
                        self?.assumeIsolated { $0.socketIsReady(socket, ofChannel: identifier, readiness) }
                    })
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func socketIsReady(_ socket: Int32, ofChannel identifier: Int, _ readiness: Readiness) {
        guard let channel = groups.channel(identifier) else { return }
        let none: Int32 = -1
        // An error counts as readable, so that c-ares reads ECONNREFUSED.
        let isReadable = !readiness.isDisjoint(with: [.readable, .error, .hangUp])
        let isWritable = readiness.contains(.writable)
        channel.process(readable: isReadable ? socket : none, writable: isWritable ? socket : none)
        armTimer(of: channel)
    }

    /// `ares_timeout` visits all queries in flight, so it is called only if no timer is armed. All tries of a channel
    /// have the same timeout, so none ends before the one that the timer was armed for.
    func armTimer(of channel: ServerChannel) {
        guard !channel.timerIsArmed else { return }
        let now = Clock.now()
        guard let next = channel.nextTimeout(from: now) else { return }
        channel.timerIsArmed = true
        // Tries that end within the same 20 ms share a timer.
        let timer = channel.timer
        reactor.assumeIsolated { $0.arm(timer, at: max(next, now).advanced(byMilliseconds: 20)) }
    }

    func timeoutHasCome(ofChannel identifier: Int) {
        guard let channel = groups.channel(identifier) else { return }
        channel.timerIsArmed = false
        channel.process(readable: -1, writable: -1)
        armTimer(of: channel)
    }
}

/// The context of a channel for callbacks of its sockets.
final class ChannelContext: Sendable {
    /// The resolver owns the channel, and the channel owns this object.
    unowned let resolver: Resolver
    let identifier: Int
    /// The interface that the channel's sockets are bound to; nil for any.
    let interface: String?
    /// The ID of the last query that was sent.
    let lastIdentifier = Atomic<UInt16>(0)

    init(resolver: Resolver, identifier: Int, interface: String?) {
        self.resolver = resolver
        self.identifier = identifier
        self.interface = interface
    }
}

/// The context of a try for its callback. It keeps the resolver alive until c-ares has ended the try.
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

// C callbacks are functions at file scope without isolation. Inside an actor's method, they would check for its
// executor.

/// `ares_sock_state_cb`: the events that c-ares waits for on a socket; none if it is about to close the socket.
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
