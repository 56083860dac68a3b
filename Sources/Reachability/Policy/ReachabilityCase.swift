package import CheckModel
internal import Configuration
package import NetworkTypes

/// One case: a rule, a destination and a port.
package struct ReachabilityCase: Hashable, Sendable {
    /// The rule, by its index in the policy.
    package let rule: Int
    package let target: Target
    /// The destination alone, for reports: the host, or a full target.
    package let destination: String
    /// The port with its transport; nil for a full target.
    package let port: CasePort?
    /// The place that checks it; nil for here.
    package var place: PlaceName?

    /// The same case in another place.
    package func checked(at place: PlaceName?) -> ReachabilityCase {
        var other = self
        other.place = place
        return other
    }
}

/// A port of a case.
package struct CasePort: Hashable, Comparable, Sendable {
    package let isUDP: Bool
    package let number: UInt16

    /// `5432`, `u:53`.
    package var text: String { (isUDP ? "u:" : "") + String(number) }

    package static func < (left: CasePort, right: CasePort) -> Bool {
        (left.isUDP ? 1 : 0, left.number) < (right.isUDP ? 1 : 0, right.number)
    }
}

extension ReachabilityPolicy {
    /// The maximum number of cases of one file.
    package static let caseLimit = 262_144

    /// All cases, in the order of the rules. A rule has each target once, however often its entries contain it.
    package func cases() -> [ReachabilityCase] {
        rules.indices.flatMap { rules[$0].cases(rule: $0) }
    }
}

extension ReachabilityRule {
    /// The number of cases before duplicates are removed; larger numbers become one more than `caseLimit`.
    var caseCount: Int {
        let most = ReachabilityPolicy.caseLimit + 1
        let portCount = ports.reduce(0) { min($0 + $1.ports.count, most) }
        return destinations.lazy.flatMap(\.entries).reduce(0) {
            min($0 + ($1.isTarget ? 1 : $1.count * portCount), most)
        }
    }

    fileprivate func cases(rule: Int) -> [ReachabilityCase] {
        var seen: Set<Target> = []
        var cases: [ReachabilityCase] = []
        for entry in destinations.lazy.flatMap(\.entries) {
            if case .target(let target) = entry, seen.insert(target).inserted {
                cases.append(ReachabilityCase(rule: rule, target: target, destination: target.text, port: nil))
            }
            for host in entry.hosts {
                for port in ports.lazy.flatMap(\.allPorts) {
                    let target = host.target(port)
                    guard seen.insert(target).inserted else { continue }
                    cases.append(
                        ReachabilityCase(rule: rule, target: target, destination: host.destinationText, port: port))
                }
            }
        }
        return cases
    }
}

extension PortRange {
    fileprivate var allPorts: some Sequence<CasePort> {
        ports.lazy.map { CasePort(isUDP: isUDP, number: $0) }
    }
}

extension Host {
    fileprivate func target(_ port: CasePort) -> Target {
        let scheme = port.isUDP ? "udp" : "tcp"
        return Target(
            peer: port.isUDP ? .udp(self, port: port.number) : .tcp(self, port: port.number),
            text: "\(scheme)://\(destinationText):\(port.number)")
    }
}

extension PolicyReader {
    /// Reports a policy with too many cases.
    mutating func checkCount(of rules: [ReachabilityRule], at position: TextPosition) {
        var total = 0
        for (index, rule) in rules.enumerated() {
            total += rule.caseCount
            guard total > ReachabilityPolicy.caseLimit else { continue }
            report(
                """
                brings the file to more than \(ReachabilityPolicy.caseLimit) cases: use smaller blocks or fewer ports, or \
                split the file
                """, at: rule.position, path: "rules[\(index)]")
            return
        }
    }
}
