internal import CheckModel
internal import SocketIO

// c-ares' sockets and timeouts, in the reactor.
extension Resolver {
    /// c-ares tells what it waits for; a socket that it waits for no more is about to be closed, and still open here.
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
            channel.watches[socket] = watch(socket, ofChannel: identifier, for: interest)
        case (nil, true):
            break
        }
    }

    /// Without room for another watch (ENOSPC, ENOMEM) the tries over the socket end in c-ares' timeout.
    private func watch(_ socket: Int32, ofChannel identifier: Int, for interest: Readiness) -> SlotToken? {
        reactor.assumeIsolated { reactor in
            try? reactor.watch(socket, for: interest, edgeTriggered: false) { [weak self] readiness in
                self?.assumeIsolated { $0.socketIsReady(socket, ofChannel: identifier, readiness) }
            }
        }
    }

    private func socketIsReady(_ socket: Int32, ofChannel identifier: Int, _ readiness: Readiness) {
        guard let channel = groups.channel(identifier) else { return }
        let none: Int32 = -1
        // An error is read like data: c-ares learns of ECONNREFUSED by that.
        let isReadable = !readiness.isDisjoint(with: [.readable, .error, .hangUp])
        let isWritable = readiness.contains(.writable)
        channel.process(readable: isReadable ? socket : none, writable: isWritable ? socket : none)
        armTimer(of: channel)
    }

    /// `ares_timeout` walks all that is in flight, so it is asked only where no timer runs: all tries of a channel wait
    /// equally long, hence none ends before the one that the timer was set for.
    func armTimer(of channel: ServerChannel) {
        guard !channel.timerIsArmed else { return }
        let now = Clock.now()
        guard let next = channel.nextTimeout(from: now) else { return }
        channel.timerIsArmed = true
        // Tries that end within the same 20 ms end together.
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
