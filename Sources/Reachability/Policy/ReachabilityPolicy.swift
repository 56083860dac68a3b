package import CheckModel
package import Configuration
package import NetworkTypes
package import StrictJSON

/// A reachability policy: the rules of one file, with every set and default applied.
package struct ReachabilityPolicy: Sendable {
    package static let version = 1

    /// The name of the file in reports.
    package let file: String
    package var pace = PolicyPace()
    /// `sets` in the order of the file, as written.
    package var sets: [NamedSet] = []
    /// `defaults` as written; empty if the file has none.
    package var defaults = RuleCheck()
    package var rules: [ReachabilityRule] = []
    /// Problems that make the policy invalid, and belong to those of its requests.
    package internal(set) var unknownMembers: [ConfigurationProblem] = []

    package init(file: String) {
        self.file = file
    }
}

/// A set of destinations with a name.
package struct NamedSet: Sendable {
    package let name: String
    package let entries: [DestinationEntry]
}

/// How fast the cases run, from `defaults`; nil for what the file does not say.
package struct PolicyPace: Hashable, Sendable {
    /// 0 … 3.
    package var timeoutRetries: Int?
    /// 1 … 65536.
    package var concurrency: Int?
    /// 1 … 65536.
    package var perHost: Int?
    /// 1 … 1000000.
    package var ratePerSecond: Int?

    package init() {}
}

/// One rule.
package struct ReachabilityRule: Sendable {
    /// Unique in the file.
    package var name: String
    package var position: TextPosition
    /// The places that check it; nil for here.
    package var from: RuleOrigin?
    /// `to`, as written.
    package var destinations: [RuleDestination] = []
    /// Empty if the destinations are full targets.
    package var ports: [PortRange] = []
    /// nil only in a file for `--learn`.
    package var expectation: RuleExpectation?
    /// A target that must be open for `blocked` to mean something.
    package var control: Target?
    package var labels: [Label] = []
    /// Whether a RST counts as `blocked` instead of `closed`.
    package var resetIsBlock = false
    /// The members of the check request, with those of `defaults`.
    package var check = RuleCheck()
}

/// `from` of a rule, which the decoder of places validates.
package struct RuleOrigin: Sendable {
    package let value: JSONValue
    /// As in `rules[2].from`.
    let path: String
    let position: TextPosition
    /// The position of each value, by its JSON pointer.
    let places: [String: TextPosition]

    /// Converts a problem of the list into a problem of the file.
    package func problem(_ problem: JSONProblem, file: String) -> ConfigurationProblem {
        ConfigurationProblem(
            .file(file, places[problem.pointer] ?? position), path: path + CheckReader.keys(of: problem.pointer),
            reason: problem.detail)
    }
}

/// One entry of `to`: the name of a set, or a destination.
package struct RuleDestination: Sendable {
    /// As written.
    package let text: String
    package let entries: [DestinationEntry]
    package let position: TextPosition
}
