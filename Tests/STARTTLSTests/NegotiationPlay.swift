import CheckModel
import NetworkTypes
@testable import STARTTLS
import TestSupport

/// A negotiation that was played against a peer's words.
struct NegotiationPlay: Equatable {
    enum Outcome: Equatable {
        case waiting, ready
        case refused(String, String)
    }

    /// What we said, one text for each time.
    var sent: [String] = []
    var ending = Outcome.waiting
    var refusal: StartTLSRefusal?
    /// What came and was not taken.
    var rest = ""

    /// Gives the peer's words in pieces of `size` bytes.
    init(_ name: StartTLSProtocol, _ peer: [UInt8], size: Int, host: String? = nil) {
        let client = IPAddress(parsing: "192.0.2.9")
        var negotiation = StartTLS.negotiation(of: name, host: host, client: client)
        if !negotiation.opening.isEmpty { sent.append(Latin1.text(negotiation.opening[...])) }
        var pending: ArraySlice<UInt8> = []
        var coming = peer[...]
        while true {
            switch negotiation.advance(&pending) {
            case .send(let bytes): sent.append(Latin1.text(bytes[...]))
            case .ready:
                ending = .ready
                rest = Latin1.text(pending + coming)
                return
            case .refused(let reason, let line, let refusal):
                self.refusal = refusal
                ending = .refused(reason, Latin1.text(line))
                return
            case .wait:
                if coming.isEmpty { return }
                pending += coming.prefix(size)
                coming = coming.dropFirst(size)
            }
        }
    }
}
