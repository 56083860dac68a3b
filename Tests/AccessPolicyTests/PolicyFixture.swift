import AccessPolicy
import NetworkTypes
import Testing

extension Policy {
    /// The verdict on `tcp address port`, `udp address port`, `unix path` or `host name` in one line: `allow`, or `deny`
    /// with the reason.
    func verdict(on question: String) throws -> String {
        let words = question.split(separator: " ", maxSplits: 2).map(String.init)
        let verdict: Verdict
        switch words[0] {
        case "unix":
            let bytes = Array(words[1].utf8)
            verdict = judge(path: words[1].hasPrefix("@") ? .abstract(Array(bytes.dropFirst())) : .path(bytes))
        case "host":
            verdict = judgeHost(words[1])
        default:
            let address = try #require(IPAddress(parsing: words[1]), "\(words[1])")
            let port = try #require(UInt16(words[2]))
            verdict = judge(
                IPEndpoint(address: address, port: port), transport: try #require(Transport(rawValue: words[0])),
                isLocal: { Self.localAddresses.contains($0.text) })
        }
        switch verdict {
        case .allow: return "allow"
        case .deny(let reason): return "deny \(reason)"
        }
    }

    private static let localAddresses = ["127.0.0.1", "10.0.0.9", "::1", "fd00::9"]
}
