/// A hint as the command line prints it: it names flags and prints values where the hint of the API names members of JSON.
///
/// A hint without such members is the same on both surfaces.
public struct CommandLineHint: Sendable {
    /// A value that a hint prints. Its raw value in braces marks the place in a template.
    public enum Value: String, CaseIterable, Sendable {
        case sender, meaning, source, target, name, names, authority, servers, timeout, interface, received, alert,
            message
        case protocols, days, depth, until

        /// What the hint says where the value is not known.
        var fallback: String {
            switch self {
            case .sender: "the sender of the ICMP message"
            case .meaning: "an ICMP error"
            case .source: "the prober's address"
            case .target: "the target"
            case .name: "the name of the target"
            case .names: "other names"
            case .authority: "its authority"
            case .servers: "the name servers of /etc/resolv.conf"
            case .timeout: "the timeout"
            case .interface: "the interface"
            case .received: "something else"
            case .alert: "an alert"
            case .message: "see the error message"
            case .protocols: "the protocols that were offered"
            case .days: "--min-days-left"
            case .depth: "some depth"
            case .until: "a later time"
            }
        }
    }

    private let template: String

    /// - Parameter hint: a hint of the catalogue or of the classifier, as the API has it.
    public init(_ hint: String) {
        template = CommandLineHints.templates[hint] ?? hint
    }

    /// Whether the hint prints this value.
    public func prints(_ value: Value) -> Bool { template.contains("{\(value.rawValue)}") }

    /// The hint with its values. One that is missing has words in its place.
    public func text(_ values: [Value: String] = [:]) -> String {
        var parts = template.split(separator: "{", omittingEmptySubsequences: false)
        var text = String(parts.removeFirst())
        for part in parts {
            let pieces = part.split(separator: "}", maxSplits: 1, omittingEmptySubsequences: false)
            if pieces.count == 2, let value = Value(rawValue: String(pieces[0])) {
                let isFirst = text.isEmpty
                let fallback =
                    isFirst ? value.fallback.prefix(1).uppercased() + value.fallback.dropFirst() : value.fallback
                text += (values[value] ?? fallback) + pieces[1]
            } else {
                text += "{" + part
            }
        }
        return text
    }
}
