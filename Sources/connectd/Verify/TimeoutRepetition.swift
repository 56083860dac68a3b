import CheckModel
import ErrorCatalogue
import NetworkTypes

/// Which timeouts of a run are repeated, and how fast.
///
/// A host limits its ICMP errors to about one per second, so a port that it rejects can time out. Each host has a limit of
/// its own: all hosts are repeated at once, each with one check per pause.
struct TimeoutRepetition {
    /// Checks in turn: one of each host, then the next of each host.
    struct Segment: Hashable {
        var indices: [Int]
        /// How many hosts take turns.
        let hosts: Int
    }

    /// The maximum number of repeated checks of one host: about a minute. If none of them brings an ICMP error, its limit
    /// is not the cause of the others either.
    static let checksOfHost = 55

    let segments: [Segment]

    /// - Parameter results: the results of a run, by the index of their check.
    init(of results: [CheckResult?]) {
        let checks = Self.silent(in: results).values.map { Array($0.prefix(Self.checksOfHost)) }
        // In each round, the hosts with further checks come first.
        let hosts = checks.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
        var segments: [Segment] = []
        for round in 0..<(hosts.first?.count ?? 0) {
            let indices = hosts.prefix { $0.count > round }.map { $0[round] }
            if segments.last?.hosts == indices.count {
                segments[segments.count - 1].indices += indices
            } else {
                segments.append(Segment(indices: indices, hosts: indices.count))
            }
        }
        self.segments = segments
    }

    var count: Int { segments.reduce(0) { $0 + $1.indices.count } }

    /// The timeouts of each address that sent nothing, by index.
    static func silent(in results: [CheckResult?]) -> [IPAddress: [Int]] {
        var found: [IPAddress: [Int]] = [:]
        for (index, result) in results.enumerated() {
            if let address = result?.silentAddress { found[address, default: []].append(index) }
        }
        return found
    }

    /// The timeouts whose address sent an ICMP error in another result, by index: their host may have reached its limit.
    static func suspects(in results: [CheckResult?]) -> [Int] {
        var senders: Set<IPAddress> = []
        for attempt in results.lazy.compactMap({ $0 }).flatMap(\.attempts) {
            if attempt.icmp != nil, attempt.icmpSender == .target, let address = attempt.endpoint.internetAddress {
                senders.insert(address)
            }
        }
        guard !senders.isEmpty else { return [] }
        return results.indices.filter { results[$0]?.silentAddress.map(senders.contains) ?? false }
    }
}

extension CheckResult {
    /// The address that sent nothing; nil unless the check timed out before anything was received.
    fileprivate var silentAddress: IPAddress? {
        guard outcome == .failed(.timeout), phase == .connect || phase == .dialog else { return nil }
        return attempts.first { $0.outcome == .failed(.timeout) }?.endpoint.internetAddress
    }
}
