public import CheckModel
public import ErrorCatalogue
internal import NetworkTypes
internal import STARTTLS
public import SocketIO

extension StartTLSProtocol {
    /// Exchanges messages until the peer is ready for a ClientHello.
    ///
    /// STARTTLS_REFUSED if the peer does not offer TLS, sends something that is not this protocol, or sends more than 64
    /// KiB. TLS_PROTOCOL if bytes follow its go-ahead: an attacker may have added them, and they would be taken for a part
    /// of the encrypted conversation (CVE-2011-0411). TLS_CLOSED if the peer ends the stream before.
    /// - Parameter host: the name that XMPP asks for; nil if the target has no name.
    public func negotiate(host: String?, on stream: SocketStream) async -> TLSHandshakeOutcome {
        await StartTLSExchange(of: self, host: host, on: stream).run()
    }
}

/// A STARTTLS negotiation over a socket. It is an object because frames of functions that wait would contain copies.
final class StartTLSExchange {
    private var negotiation: any StartTLSNegotiation
    private let stream: SocketStream
    /// What was received and is not consumed yet.
    private var pending: ArraySlice<UInt8> = []
    private var receivedCount = 0

    /// Not inlined: the frame of its caller, which waits, would contain its temporaries.
    @inline(never)
    init(of protocolName: StartTLSProtocol, host: String?, on stream: SocketStream) {
        negotiation = StartTLS.negotiation(of: protocolName, host: host, client: stream.localName()?.address)
        self.stream = stream
    }

    func run() async -> TLSHandshakeOutcome {
        do throws(SocketStream.Failure) {
            try await stream.send(negotiation.opening)
            while true {
                let step = advance()
                if let bytes = step.bytesToSend { try await stream.send(bytes) }
                if let outcome = step.outcome { return outcome }
                if step.needsBytes, let outcome = take(try await stream.receive(atMost: StartTLSLimits.receiveBytes)) {
                    return outcome
                }
            }
        } catch {
            return TLSHandshakeOutcome(error)
        }
    }

    /// What `run` does next.
    private struct Step {
        var outcome: TLSHandshakeOutcome?
        var bytesToSend: [UInt8]?
        var needsBytes = false
    }

    /// Not inlined, like `take`: the frame of `run` would contain their temporaries while it waits.
    @inline(never)
    private func advance() -> Step {
        switch negotiation.advance(&pending) {
        case .wait: return Step(needsBytes: true)
        case .send(let bytes): return Step(bytesToSend: bytes)
        case .ready:
            if pending.isEmpty { return Step(outcome: .completed) }
            return Step(
                outcome: Self.failure(.protocolViolation, "bytes follow its go-ahead for TLS", pending))
        case .refused(let reason, let line, let refusal):
            return Step(outcome: Self.refusal(reason, line, refusal))
        }
    }

    /// Takes what was received; nothing means EOF.
    /// - Returns: nil if the exchange continues.
    @inline(never)
    private func take(_ bytes: [UInt8]) -> TLSHandshakeOutcome? {
        if bytes.isEmpty { return streamEnd() }
        receivedCount += bytes.count
        pending = ArraySlice(Array(pending) + bytes)
        guard receivedCount > StartTLSLimits.receivedBytes else { return nil }
        return Self.failure(.startTLSRefused, "it sent more than \(StartTLSLimits.receivedBytes) bytes", pending)
    }

    private func streamEnd() -> TLSHandshakeOutcome {
        if case .refused(let reason, let line, let refusal)? = negotiation.end(with: pending) {
            return Self.refusal(reason, line, refusal)
        }
        return Self.failure(.closed, nil, pending)
    }

    /// The message contains the peer's text, unless that is a list of what it offers.
    private static func refusal(
        _ reason: String, _ text: ArraySlice<UInt8>, _ refusal: StartTLSRefusal
    ) -> TLSHandshakeOutcome {
        let shown = refusal == .notOffered ? "" : shownText(of: text)
        var failure = TLSHandshakeFailure(
            .startTLSRefused, message: shown.isEmpty ? reason : "\(reason): \(shown)",
            received: text.isEmpty ? nil : Array(text.prefix(StartTLSLimits.shownBytes)))
        failure.isTemporary = refusal.isTemporary
        if case .service = refusal { failure.subject = .service }
        return .failed(failure)
    }

    /// - Parameter bytes: from the peer; the failure shows at most 1 KiB of them.
    private static func failure(
        _ name: TLSFailure, _ message: String?, _ bytes: ArraySlice<UInt8>
    ) -> TLSHandshakeOutcome {
        let shown = bytes.isEmpty ? nil : Array(bytes.prefix(StartTLSLimits.shownBytes))
        return .failed(TLSHandshakeFailure(name, message: message, received: shown))
    }

    /// The text in one line for a message: bounded, and without characters that a terminal could act on.
    private static func shownText(of text: ArraySlice<UInt8>) -> String {
        let spaces: Set<UInt8> = [UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: " ")]
        let parts = text.prefix(StartTLSLimits.shownBytes).split { spaces.contains($0) }
        return CertificateText.cut(CertificateText.text(Array(parts.joined(by: UInt8(ascii: " ")))[...]), to: 200)
    }
}

extension [ArraySlice<UInt8>] {
    fileprivate func joined(by separator: UInt8) -> some Sequence<UInt8> { joined(separator: [separator]) }
}

extension TLSHandshakeOutcome {
    init(_ failure: SocketStream.Failure) {
        switch failure {
        case .kernel(let error): self = .broken(error)
        case .deadline: self = .deadline
        case .cancelled: self = .cancelled
        }
    }
}
