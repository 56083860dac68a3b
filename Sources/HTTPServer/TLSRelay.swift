internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import TLS

/// Carries one connection between a client, whose TLS handshake is done, and the library, which speaks none: a pair of
/// sockets stands in between, so that whatever holds for plain connections (deadlines, early answers, clients that leave)
/// holds here.
final class TLSRelay {
    private let reactor: Reactor
    private let session: ServerSession
    private let charge: MemoryCharge?
    private let outer: Int32
    private let inner: Int32
    private var outerWatch: SlotToken?
    private var innerWatch: SlotToken?
    private var timer: SlotToken?

    private var toInner: ArraySlice<UInt8> = []
    private var toOuter: ArraySlice<UInt8> = []
    /// What came since the last plaintext.
    private var idleCount = 0
    /// The client, or the library, sends no more.
    private var outerEnded = false
    private var innerEnded = false
    /// The library takes no more, or the client broke the protocol: what comes is thrown away.
    private var discards = false
    /// The library has closed its end: what it wrote before is there still.
    private var innerIsClosed = false
    private var hasShutOuter = false
    private(set) var hasEnded = false

    private static let chunk = 16384
    /// What may come without any plaintext in it: a flood of KeyUpdates is work for us alone.
    private static let idleBytes = 64 << 10
    /// How long the client may take for the last bytes, and then to close.
    private static let sendMilliseconds = 60_000
    private static let lingerMilliseconds = 2000

    /// Takes over both descriptors.
    init(_ session: ServerSession, charge: MemoryCharge?, outer: Int32, inner: Int32, reactor: Reactor) {
        self.session = session
        self.charge = charge
        self.outer = outer
        self.inner = inner
        self.reactor = reactor
    }

    /// Whether the client has everything that the library sent, and knows that no more comes.
    var isFlushed: Bool { hasEnded || hasShutOuter }

    /// Whether something that the library sent has not left yet.
    var isSending: Bool {
        guard !hasEnded, !innerEnded else { return !isFlushed }
        return !toOuter.isEmpty || connectd_unread_bytes(inner) > 0
    }

    /// - Parameter handler: calls `step` on the reactor's thread.
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
        // What came behind the handshake is with the session already: no event tells of it.
        step(outer: [], inner: [])
        return !hasEnded
    }

    func step(outer outerReadiness: Readiness, inner innerReadiness: Readiness) {
        guard !hasEnded else { return }
        // Both directions are shut, or the connection was reset; the timer says so, too.
        if !outerReadiness.isDisjoint(with: [.error, .hangUp]) { return end() }
        if !innerReadiness.isDisjoint(with: [.error, .hangUp]) { noteInnerIsClosed() }
        flushInner()
        flushOuter()
        if mayReceive { receiveOuter() }
        if hasEnded { return }
        decrypt()
        repeat {
            receiveInner()
            flushOuter()
        } while innerIsClosed && !innerEnded && !hasEnded && toOuter.isEmpty
        if !hasEnded { conclude() }
    }

    /// Whoever does not read what it has asked for is not heard: OpenSSL's answers to KeyUpdates would fill the memory.
    private var mayReceive: Bool { !outerEnded && toInner.isEmpty && toOuter.isEmpty }

    private func receiveOuter() {
        do throws(Errno) {
            let bytes = try SystemCall.receive(from: outer, atMost: Self.chunk)
            if bytes.isEmpty { outerEnded = true }
            guard !bytes.isEmpty, !discards else { return }
            idleCount += bytes.count
            session.feed(bytes[...])
        } catch {
            if !Self.isPassing(error) { end() }
        }
    }

    private func decrypt() {
        while toInner.isEmpty, !discards {
            let (progress, bytes) = session.read()
            switch progress {
            case .done:
                idleCount = 0
                toInner = bytes[...]
                flushInner()
            case .wantsInput where idleCount > Self.idleBytes:
                return fail()
            case .wantsInput:
                if outerEnded { shutdown(inner, Int32(SHUT_WR)) }
                return
            case .closed:
                outerEnded = true
                shutdown(inner, Int32(SHUT_WR))
                return
            case .failed:
                return fail()
            }
        }
    }

    private func receiveInner() {
        guard !innerEnded, toOuter.isEmpty else { return }
        do throws(Errno) {
            let bytes = try SystemCall.receive(from: inner, atMost: Self.chunk)
            if bytes.isEmpty { return endInner() }
            if !session.write(bytes) { fail() }
        } catch {
            if !Self.isPassing(error) { endInner() }
        }
    }

    /// No event tells of its last bytes from here on: a pair whose other end is closed would be ready for ever.
    private func noteInnerIsClosed() {
        innerIsClosed = true
        discards = true
        toInner = []
        unwatch(&innerWatch, inner)
        if !innerEnded { arm(Self.sendMilliseconds) }
    }

    private func endInner() {
        innerEnded = true
        session.close()
        arm(Self.sendMilliseconds)
    }

    /// Closes both sides where the client has closed its own, and does not read what it has asked for.
    func endIfClientHasClosed() {
        if outerEnded, !innerEnded, !hasEnded, connectd_peer_has_closed(outer) == 1 { end() }
    }

    /// The client gets OpenSSL's alert; the library sees the connection end.
    private func fail() {
        innerEnded = true
        discards = true
        toInner = []
        shutdown(inner, Int32(SHUT_RDWR))
        arm(Self.sendMilliseconds)
    }

    private func flushInner() {
        toInner = Self.send(toInner, to: inner) { discards = true }
        if discards { toInner = [] }
    }

    private func flushOuter() {
        if toOuter.isEmpty { toOuter = session.takeOutput()[...] }
        var isBroken = false
        toOuter = Self.send(toOuter, to: outer) { isBroken = true }
        if isBroken { end() }
    }

    private func conclude() {
        if innerEnded, toOuter.isEmpty, !hasShutOuter {
            hasShutOuter = true
            shutdown(outer, Int32(SHUT_WR))
            arm(Self.lingerMilliseconds)
        }
        if hasShutOuter, outerEnded { return end() }
        adjust(outerWatch, outer, reads: mayReceive, writes: !toOuter.isEmpty)
        if innerEnded, discards { unwatch(&innerWatch, inner) }
        adjust(innerWatch, inner, reads: !innerEnded && toOuter.isEmpty, writes: !toInner.isEmpty)
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

    private static func isPassing(_ error: Errno) -> Bool {
        error == Errno(EAGAIN) || error == Errno(EINTR)
    }

    /// - Returns: what is left.
    private static func send(_ bytes: ArraySlice<UInt8>, to number: Int32, broken: () -> Void) -> ArraySlice<UInt8> {
        guard !bytes.isEmpty else { return [] }
        do throws(Errno) {
            return bytes.dropFirst(try SystemCall.send(bytes, to: number))
        } catch {
            if !isPassing(error) { broken() }
            return bytes
        }
    }
}
