import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// Describes traces for people. It never says that a hop lost a packet: it only says where the answers end.
enum TraceText {
    /// What a hop answered: the last column of the table.
    static func answer(of hop: TraceHop) -> String {
        if let icmp = hop.icmp { return icmp.isTimeExceeded ? "" : icmp.meaning }
        switch hop.stop {
        case .reached: return "reached"
        case .refused: return "refused"
        case .unreachable, .gap, .deadline, .maxTTL, .policy, nil: return ""
        }
    }

    /// One or more sentences on how the trace ended.
    static func sentence(_ trace: TraceReport) -> String {
        ([end(of: trace)] + [paths(trace), mtu(trace)].compactMap { $0 }).joined(separator: " ")
    }

    private static func end(of trace: TraceReport) -> String {
        let target = trace.target
        let place = trace.lastAnswer.flatMap { hop in hop.from.map { "\($0.text) (TTL \(hop.ttl))" } }
        let meaning = trace.lastAnswer?.icmp?.meaning ?? "unreachable"
        switch trace.stop {
        case .reached: return "The target \(target.text) answered at TTL \(lastTTL(trace))."
        case .refused: return "The target \(target.text) refused at TTL \(lastTTL(trace))."
        case .unreachable where trace.reached:
            return "The target \(target.text) itself rejected the probe: \(meaning)."
        case .unreachable:
            guard let from = trace.lastAnswer?.from, let place else {
                return "This machine has no route to \(target.text)."
            }
            if LocalAddresses.contains(from) {
                return "This machine itself rejected the probe: \(meaning)."
            }
            return "\(place) answered that the target is not reachable: \(meaning)."
        case .gap: return "The answers end at \(place ?? "this machine: no hop answered"). \(silence)"
        case .deadline: return "The time ended. The last answer came from \(place ?? "no hop")."
        case .maxTTL:
            guard trace.hops.last?.from != nil else {
                return "The answers end at \(place ?? "this machine: no hop answered"). \(silence)"
            }
            return "The target is farther than TTL \(lastTTL(trace)): raise the largest TTL."
        case .policy: return "The policy denies \(target.text), so nothing was sent."
        }
    }

    private static let silence = "Hops after that may be silent or unreachable: a trace cannot tell which."

    private static func lastTTL(_ trace: TraceReport) -> Int { trace.lastAnswer?.ttl ?? 0 }

    private static func paths(_ trace: TraceReport) -> String? {
        let ttls = trace.hops.filter { !$0.others.isEmpty }.map { String($0.ttl) }
        return ttls.isEmpty ? nil : "Other paths differ at TTL \(ttls.joined(separator: ", "))."
    }

    private static func mtu(_ trace: TraceReport) -> String? {
        trace.mtu.map { mtu in
            let hop = mtu.ttl.map { " (TTL \($0))" } ?? ""
            return "The path MTU is \(mtu.value) bytes, as \(mtu.from.text)\(hop) reported."
        }
    }
}
