internal import CLinux
public import CheckModel
internal import ErrorCatalogue
public import NetworkTypes
internal import STARTTLS
public import SocketIO

extension StartTLSProtocol {
    /// Talks until the peer is ready for a ClientHello.
    ///
    /// STARTTLS_REFUSED where the peer does not offer TLS, says something that is not this protocol, or more than 64 KiB:
    /// with its line. TLS_PROTOCOL where something stands behind its go-ahead: whoever put it there, it would be taken
    /// for a part of the secured conversation (CVE-2011-0411). TLS_CLOSED where the peer ends the stream before.
    /// - Parameters:
    ///   - host: the name that XMPP asks for; an address or nil is asked for as it is or not at all.
    ///   - token: the socket's place in the reactor, registered for `anything`.
    public func negotiate(
        host: String?, on socket: borrowing Socket, token: SlotToken,
        reactor: Reactor, until deadline: MonotonicTime
    ) async -> TLSHandshakeEnding {
        let negotiation = StartTLS.negotiation(of: self, host: host, client: socket.localName()?.address)
        var talk = StartTLSTalk(negotiation, token: token, reactor: reactor, deadline: deadline)
        return await talk.run(on: socket)
    }
}

/// A negotiation over a socket: it is used first and waited for only behind EAGAIN, so no edge of its readiness is missed.
struct StartTLSTalk {
    private var negotiation: any StartTLSNegotiation
    private let token: SlotToken
    private let reactor: Reactor
    private let deadline: MonotonicTime
    /// What came and was not taken.
    private var pending: ArraySlice<UInt8> = []
    private var receivedCount = 0
    private var stepsWithoutWait = 0

    init(
        _ negotiation: any StartTLSNegotiation, token: SlotToken, reactor: Reactor, deadline: MonotonicTime
    ) {
        self.negotiation = negotiation
        self.token = token
        self.reactor = reactor
        self.deadline = deadline
    }

    mutating func run(on socket: borrowing Socket) async -> TLSHandshakeEnding {
        if !negotiation.opening.isEmpty, let ending = await send(negotiation.opening, on: socket) { return ending }
        while true {
            switch negotiation.advance(&pending) {
            case .wait:
                if let ending = await receive(from: socket) { return ending }
            case .send(let bytes):
                if let ending = await send(bytes, on: socket) { return ending }
            case .ready:
                if pending.isEmpty { return .completed }
                return Self.failure(.protocolViolation, "there is something behind its go-ahead for TLS", pending)
            case .refused(let reason, let line, let refusal):
                return Self.refusal(reason, line, refusal)
            }
        }
    }

    /// - Returns: nil where something came.
    private mutating func receive(from socket: borrowing Socket) async -> TLSHandshakeEnding? {
        while true {
            if let ending = await beginStep() { return ending }
            do throws(Errno) {
                let bytes = try socket.receive(atMost: StartTLSLimits.receiveBytes)
                if bytes.isEmpty { return streamEnd() }
                return take(bytes)
            } catch {
                if let ending = await recover(from: error, .readable) { return ending }
            }
        }
    }

    private mutating func streamEnd() -> TLSHandshakeEnding {
        if case .refused(let reason, let line, let refusal)? = negotiation.end(with: pending) {
            return Self.refusal(reason, line, refusal)
        }
        return Self.failure(.closed, nil, pending)
    }

    private mutating func take(_ bytes: [UInt8]) -> TLSHandshakeEnding? {
        receivedCount += bytes.count
        pending = ArraySlice(Array(pending) + bytes)
        guard receivedCount > StartTLSLimits.receivedBytes else { return nil }
        return Self.failure(.startTLSRefused, "it says more than \(StartTLSLimits.receivedBytes) bytes", pending)
    }

    /// - Returns: nil where all has been sent.
    private mutating func send(_ bytes: [UInt8], on socket: borrowing Socket) async -> TLSHandshakeEnding? {
        var rest = bytes[...]
        while !rest.isEmpty {
            if let ending = await beginStep() { return ending }
            do throws(Errno) {
                rest = rest.dropFirst(try socket.send(rest))
            } catch {
                if let ending = await recover(from: error, .writable) { return ending }
            }
        }
        return nil
    }

    /// A peer that never stops talking must not let the deadline pass, nor keep the thread.
    private mutating func beginStep() async -> TLSHandshakeEnding? {
        if Task.isCancelled { return .cancelled }
        if stepsWithoutWait > 0, Clock.now() >= deadline { return .deadline }
        if stepsWithoutWait >= StartTLSLimits.stepsOfTurn {
            stepsWithoutWait = 0
            _ = await reactor.sleep(until: Clock.now())
        }
        stepsWithoutWait += 1
        return nil
    }

    /// Waits until the call can be made again.
    private mutating func recover(from error: Errno, _ interest: Readiness) async -> TLSHandshakeEnding? {
        switch error.rawValue {
        case EINTR: return nil
        case EAGAIN: break
        case _: return .broken(error)
        }
        stepsWithoutWait = 0
        switch await reactor.waitOnThread(token, for: interest, until: deadline) {
        case .ready: return nil
        case .deadline: return .deadline
        case .cancelled: return .cancelled
        }
    }

    /// The peer's words are in the message too, but for a list of what it offers.
    private static func refusal(
        _ reason: String, _ words: ArraySlice<UInt8>, _ refusal: StartTLSRefusal
    ) -> TLSHandshakeEnding {
        let shown = refusal == .notOffered ? "" : shownText(of: words)
        var failure = TLSHandshakeFailure(
            .startTLSRefused, message: shown.isEmpty ? reason : "\(reason): \(shown)",
            received: words.isEmpty ? nil : Array(words.prefix(StartTLSLimits.shownBytes)))
        failure.isTemporary = refusal.isTemporary
        if case .service = refusal { failure.subject = .service }
        return .failed(failure)
    }

    /// - Parameter bytes: the peer's own; what is shown of them is bounded.
    private static func failure(
        _ name: TLSFailure, _ message: String?, _ bytes: ArraySlice<UInt8>
    ) -> TLSHandshakeEnding {
        let shown = bytes.isEmpty ? nil : Array(bytes.prefix(StartTLSLimits.shownBytes))
        return .failed(TLSHandshakeFailure(name, message: message, received: shown))
    }

    /// The words in one line for a message: bounded, and without characters that a terminal could act on.
    private static func shownText(of words: ArraySlice<UInt8>) -> String {
        let spaces: Set<UInt8> = [UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: " ")]
        let parts = words.prefix(StartTLSLimits.shownBytes).split { spaces.contains($0) }
        return CertificateText.cut(CertificateText.text(Array(parts.joined(by: UInt8(ascii: " ")))[...]), to: 200)
    }
}

extension [ArraySlice<UInt8>] {
    fileprivate func joined(by separator: UInt8) -> some Sequence<UInt8> { joined(separator: [separator]) }
}
