import Glibc
import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// The table of a trace, which grows by a line for each hop.
struct TraceTable {
    private let target: Target
    private let maxTTL: Int
    private let showsNames: Bool
    private var layout = TraceLayout(.ipv4)

    init(target: Target, maxTTL: Int, showsNames: Bool) {
        self.target = target
        self.maxTTL = maxTTL
        self.showsNames = showsNames
    }

    /// The lines that an event adds.
    mutating func lines(for event: TraceEvent) -> [String] {
        switch event {
        case .started(let endpoint):
            layout = TraceLayout(endpoint.address.family, hasNames: showsNames)
            let name = TerminalText.clean(target.text)
            return ["Trace to \(name) (\(HumanReport.text(endpoint))), at most \(maxTTL) hops", "", layout.heading]
        case .hop(let hop):
            return layout.lines(for: hop) { showsNames ? ReverseName.of($0) : nil }
        case .restarted:
            return ["", "The hops above are from more than one path. These are on one path:", layout.heading]
        }
    }
}

/// The columns of hops.
struct TraceLayout {
    private let addressWidth: Int
    private let hasNames: Bool

    private static let nameWidth = 30

    init(_ family: AddressFamily, hasNames: Bool = false) {
        addressWidth = family == .ipv4 ? 15 : 26
        self.hasNames = hasNames
    }

    var heading: String {
        let name = hasNames ? "NAME".padded(to: Self.nameWidth) + "  " : ""
        return "TTL  \("ADDRESS".padded(to: addressWidth))  \(name)\("RTT".paddedLeft(to: 10))  ANSWER"
    }

    /// A line for the hop, and one for each address on another path.
    /// - Parameter name: the name of an address, if it is to be shown.
    func lines(for hop: TraceHop, name: (IPAddress) -> String? = { _ in nil }) -> [String] {
        let ttl = String(hop.ttl).paddedLeft(to: 3)
        let others = hop.others.map { "     " + columns($0, name($0), rtt: nil) + "  another path" }
        guard let from = hop.from else { return ["\(ttl)  *"] + others }
        let answer = TraceText.answer(of: hop)
        let line = "\(ttl)  " + columns(from, name(from), rtt: hop.rttNanoseconds)
        return [answer.isEmpty ? line : "\(line)  \(answer)"] + others
    }

    private func columns(_ address: IPAddress, _ name: String?, rtt: Int64?) -> String {
        let named = hasNames ? (name ?? "").padded(to: Self.nameWidth) + "  " : ""
        let time = (rtt.map(HumanReport.milliseconds) ?? "").paddedLeft(to: 10)
        return "\(address.text.padded(to: addressWidth))  \(named)\(time)"
    }
}

/// Names of addresses, from reverse DNS: getnameinfo(3).
enum ReverseName {
    /// The name, made safe for a terminal; nil if there is none. It blocks until the resolver has answered.
    static func of(_ address: IPAddress) -> String? {
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = try? SocketName.withName(of: IPEndpoint(address: address, port: 0)) { (socketName, length) in
            getnameinfo(socketName, length, &name, socklen_t(name.count), nil, 0, NI_NAMEREQD)
        }
        guard status == 0 else { return nil }
        return TerminalText.clean(String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
}
