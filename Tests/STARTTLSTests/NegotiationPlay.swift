import CheckModel
import NetworkTypes
@testable import STARTTLS
import TestSupport

/// A negotiation with a scripted peer.
struct NegotiationPlay: Equatable {
    enum Outcome: Equatable {
        case waiting, ready
        case refused(String, String)
    }

    /// The bytes that we sent, one entry for each send.
    var sent: [String] = []
    var ending = Outcome.waiting
    var refusal: StartTLSRefusal?
    /// The received bytes that were not taken.
    var rest = ""

    /// Passes the peer's bytes in pieces of `size` bytes.
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
