internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import TLS

/// Relays one connection between a client, whose TLS handshake is complete, and the library, which has no TLS. A socket
/// pair connects the relay and the library. So deadlines, early responses and clients that leave work as on plain
/// connections.
final class TLSRelay {
    private let reactor: Reactor
    private let session: ServerSession
    private let charge: MemoryCharge?
    /// The client's socket, and our end of the pair.
    private let outer: Int32
    private let inner: Int32
    private var outerWatch: SlotToken?
    private var innerWatch: SlotToken?
    private var timer: SlotToken?

    private var state = RelayState()
    /// Both sides are closed.
    private(set) var hasEnded = false
    private var toInner: ArraySlice<UInt8> = []
    private var toOuter: ArraySlice<UInt8> = []
    /// Bytes from the client since the last plaintext.
    private var idleCount = 0

    private static let chunk = 16384
    /// How many bytes may come without any plaintext in them: a flood of KeyUpdates costs only us.
    private static let idleBytes = 64 << 10
    /// How long the client may take to read the last bytes, and then to close.
    private static let sendMilliseconds = 60_000
    private static let lingerMilliseconds = 2000

    /// Takes ownership of both descriptors.
    init(_ session: ServerSession, charge: MemoryCharge?, outer: Int32, inner: Int32, reactor: Reactor) {
        self.session = session
        self.charge = charge
        self.outer = outer
        self.inner = inner
        self.reactor = reactor
    }

    /// Whether the client has received everything that the library sent, and the close_notify.
    var isFlushed: Bool { hasEnded || state.outbound == .finished }

    /// Whether bytes from the library have not been sent yet.
    var isSending: Bool {
        guard !hasEnded, state.mayRelay else { return !isFlushed }
        return !toOuter.isEmpty || connectd_unread_bytes(inner) > 0
    }

    /// - Parameter handler: calls `step` on the reactor's thread.
    /// - Returns: false if the kernel allows no more watches, or the client has left.
    func start(handler: @escaping @Sendable (_ outer: Readiness, _ inner: Readiness) -> Void) -> Bool {
        let (outer, inner) = (outer, inner)
        (timer, outerWatch, innerWatch) = reactor.assumeIsolated { reactor in
            (
                reactor.makeTimer { handler(.error, []) },
                try? reactor.watch(outer, for: .readable, edgeTriggered: false) { handler($0, []) },
                try? reactor.watch(inner, for: [], edgeTriggered: false) { handler([], $0) }
            )
        }
        guard outerWatch != nil, innerWatch != nil else { return false }
        // The session may already hold bytes that arrived with the handshake; no event reports them.
        step(outer: [], inner: [])
        return !hasEnded
    }

    /// Moves as many bytes as possible in both directions.
    func step(outer outerReadiness: Readiness, inner innerReadiness: Readiness) {
        guard !hasEnded else { return }
        // Both directions are shut down, the connection was reset, or the timer has fired.
        if !outerReadiness.isDisjoint(with: [.error, .hangUp]) { return end() }
        if !innerReadiness.isDisjoint(with: [.error, .hangUp]) { noteLibraryClosed() }
        flushInner()
        flushOuter()
        if mayReceive { receiveOuter() }
        if hasEnded { return }
        decrypt()
        repeat {
            receiveInner()
            flushOuter()
        } while state.outbound == .draining && !hasEnded && toOuter.isEmpty
        if !hasEnded { conclude() }
    }

    /// While a client does not read its response, nothing is read from it. Otherwise OpenSSL's answers to KeyUpdates
    /// would fill the memory.
    private var mayReceive: Bool { state.mayReceive && toInner.isEmpty && toOuter.isEmpty }

    private func receiveOuter() {
        do throws(Errno) {
            let bytes = try SystemCall.receive(from: outer, atMost: Self.chunk)
            if bytes.isEmpty { state.apply(.clientFinished) }
            guard !bytes.isEmpty, !state.discards else { return }
            idleCount += bytes.count
            if !session.feed(bytes[...]) { end() }
        } catch {
            if !Self.isTemporary(error) { end() }
        }
    }

    private func decrypt() {
        while toInner.isEmpty, !state.discards {
            let (progress, bytes) = session.read()
            switch progress {
            case .done:
                idleCount = 0
                toInner = bytes[...]
                flushInner()
            case .wantsInput where idleCount > Self.idleBytes:
                return fail()
            case .wantsInput:
                if !state.mayReceive { shutdown(inner, Int32(SHUT_WR)) }
                return
            case .closed:
                state.apply(.clientFinished)
                shutdown(inner, Int32(SHUT_WR))
                return
            case .failed:
                return fail()
            }
        }
    }

    private func receiveInner() {
        guard state.mayRelay, toOuter.isEmpty else { return }
        do throws(Errno) {
            let bytes = try SystemCall.receive(from: inner, atMost: Self.chunk)
            if bytes.isEmpty { return finishOutput() }
            if !session.write(bytes) { fail() }
        } catch {
            if !Self.isTemporary(error) { finishOutput() }
        }
    }

    /// Removes the watch: a pair whose other end is closed would always be ready.
    private func noteLibraryClosed() {
        if state.mayRelay { arm(Self.sendMilliseconds) }
        state.apply(.libraryClosed)
        toInner = []
        unwatch(&innerWatch, inner)
    }

    private func finishOutput() {
        state.apply(.libraryFinished)
        session.close()
        arm(Self.sendMilliseconds)
    }

    /// Closes both sides if the client has closed its own and does not read its response.
    func endIfClientHasClosed() {
        if !state.mayReceive, state.mayRelay, !hasEnded, connectd_peer_has_closed(outer) == 1 { end() }
    }

    /// The client gets OpenSSL's alert; the library sees the connection end.
    private func fail() {
        state.apply(.protocolFailed)
        toInner = []
        shutdown(inner, Int32(SHUT_RDWR))
        arm(Self.sendMilliseconds)
    }

    private func flushInner() {
        toInner = Self.send(toInner, to: inner) { state.apply(.libraryStoppedReading) }
        if state.discards { toInner = [] }
    }

    private func flushOuter() {
        if toOuter.isEmpty { toOuter = session.takeOutput()[...] }
        var isBroken = false
        toOuter = Self.send(toOuter, to: outer) { isBroken = true }
        if isBroken { end() }
    }

    private func conclude() {
        if state.outbound == .flushing, toOuter.isEmpty {
            state.apply(.flushed)
            shutdown(outer, Int32(SHUT_WR))
            arm(Self.lingerMilliseconds)
        }
        if state.outbound == .finished, !state.mayReceive { return end() }
        adjust(outerWatch, outer, reads: mayReceive, writes: !toOuter.isEmpty)
        if !state.mayRelay, state.discards { unwatch(&innerWatch, inner) }
        adjust(innerWatch, inner, reads: state.mayRelay && toOuter.isEmpty, writes: !toInner.isEmpty)
    }

    private func adjust(_ watch: SlotToken?, _ number: Int32, reads: Bool, writes: Bool) {
        guard let watch else { return }
        var interest: Readiness = reads ? .readable : []
        if writes { interest.insert(.writable) }
        reactor.assumeIsolated { [interest] in try? $0.modify(watch, number, for: interest) }
    }

    private func unwatch(_ watch: inout SlotToken?, _ number: Int32) {
        guard let token = watch.take() else { return }
        reactor.assumeIsolated { $0.unwatch(token, number) }
    }

    private func arm(_ milliseconds: Int) {
        guard let timer else { return }
        reactor.assumeIsolated { $0.arm(timer, at: Clock.now().advanced(byMilliseconds: milliseconds)) }
    }

    /// Closes both sides at once.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        unwatch(&outerWatch, outer)
        unwatch(&innerWatch, inner)
        if let timer { reactor.assumeIsolated { $0.remove(timer) } }
        close(outer)
        close(inner)
    }

    private static func isTemporary(_ error: Errno) -> Bool {
        error == Errno(EAGAIN) || error == Errno(EINTR)
    }

    /// - Returns: the bytes that the socket did not take.
    private static func send(_ bytes: ArraySlice<UInt8>, to number: Int32, broken: () -> Void) -> ArraySlice<UInt8> {
        guard !bytes.isEmpty else { return [] }
        do throws(Errno) {
            return bytes.dropFirst(try SystemCall.send(bytes, to: number))
        } catch {
            if !isTemporary(error) { broken() }
            return bytes
        }
    }
}

/// The state of both directions of a TLS relay. It is a pure value; `TLSRelay` acts on it.
struct RelayState: Equatable {
    /// From the client to the library.
    enum Inbound: Equatable {
        case open
        /// The library accepts no more bytes, or the client broke the protocol. Further bytes are read and discarded.
        case discarding
        /// The client has shut down its writing half. Bytes that it sent before may still arrive.
        case ended
        case endedDiscarding
    }

    /// From the library to the client.
    enum Outbound: Equatable {
        case open
        /// The library has closed its end. Not all of its bytes have been read yet.
        case draining
        /// The library sends nothing more. The last TLS records are being sent.
        case flushing
        /// The client has received everything, including the close_notify.
        case finished
    }

    enum Event: CaseIterable {
        /// The client has shut down its writing half, or sent a close_notify.
        case clientFinished
        /// The library accepts no more bytes.
        case libraryStoppedReading
        /// The library has closed its end.
        case libraryClosed
        /// The last byte from the library has been read.
        case libraryFinished
        /// The client broke the protocol, or OpenSSL failed.
        case protocolFailed
        /// The last TLS record has been sent.
        case flushed
    }

    var inbound = Inbound.open
    var outbound = Outbound.open

    /// Whether the client may still send.
    var mayReceive: Bool { inbound == .open || inbound == .discarding }

    /// Whether bytes from the client are discarded.
    var discards: Bool { inbound == .discarding || inbound == .endedDiscarding }

    /// Whether the library may still send bytes.
    var mayRelay: Bool { outbound == .open || outbound == .draining }

    /// The state after an event.
    mutating func apply(_ event: Event) {
        switch event {
        case .clientFinished:
            inbound = discards ? .endedDiscarding : .ended
        case .libraryStoppedReading:
            discard()
        case .libraryClosed:
            discard()
            if outbound == .open { outbound = .draining }
        case .libraryFinished:
            if mayRelay { outbound = .flushing }
        case .protocolFailed:
            discard()
            if mayRelay { outbound = .flushing }
        case .flushed:
            if outbound == .flushing { outbound = .finished }
        }
    }

    private mutating func discard() {
        inbound = mayReceive ? .discarding : .endedDiscarding
    }
}
