internal import CheckModel
internal import SocketIO

// What has to be heard before TLS begins.
extension Line {
    /// Hears the rest of the go-ahead of which a step has matched the beginning: a peer that is not done with it would not
    /// take the handshake for one, nor we its words.
    ///
    /// A reply has an end, which is waited for. Other text may have none, such as PostgreSQL's `S` and the tags of XMPP: there
    /// it is over when the stream is quiet.
    /// - Returns: nil where TLS may begin; a stream that has ended is left to the handshake.
    mutating func hearGoAhead(on socket: borrowing Socket) async -> StepResult? {
        while !hasEnded {
            let goAhead = inbox.goAhead(hasMatched: hasMatched)
            if goAhead.isWhole { return nil }
            guard inbox.unmatchedCount < DialogLimits.unmatchedBytes else { return endless }
            let quiet = Clock.now().advanced(byMilliseconds: DialogLimits.quietMilliseconds)
            switch await hear(on: socket, until: goAhead.isReply ? deadline : min(quiet, deadline)) {
            case .news, .ended: continue
            case .timeIsUp: return goAhead.isReply || Clock.now() >= deadline ? endless : nil
            case .over(let ending): return StepResult(ending: ending)
            }
        }
        return nil
    }

    private var endless: StepResult {
        StepResult(ending: .mismatch(heard: true), detail: "the line of its go-ahead for TLS has no end")
    }

    /// Why TLS must not begin: what was heard already goes on behind the peer's go-ahead. nil where it may.
    var injection: TLSHandshakeFailure? {
        let bytes = inbox.bytes[inbox.goAhead(hasMatched: hasMatched).end...]
        guard !bytes.isEmpty else { return nil }
        return TLSHandshakeFailure(
            .protocolViolation, message: "there is something behind its go-ahead for TLS",
            received: Array(bytes.prefix(DialogLimits.shownBytes)))
    }
}
