package import StrictJSON

/// One entry of `monitors`.
package struct MonitorSettings: Sendable {
    /// Unique among the monitors.
    package var name: String
    package var isRequired = false
    /// 100 … 86400000.
    package var intervalMilliseconds = 10_000
    /// 1 … 1000.
    package var upAfter = 1
    package var downAfter = 1
    package var check: ConfiguredCheck
    /// nil: its own rounds decide.
    package var confirm: ConfirmSettings?
}

/// `monitors[].confirm`: which other places try a monitor's check before it is down.
package struct ConfirmSettings: Sendable {
    /// The places as JSON, which the decoder of `from` validates; nil for every place of the fleet.
    package var from: ConfiguredCheck?
    /// How many places are asked: `agree` … 100.
    package var ask = 3
    /// How many of them must fail too, at least 1.
    package var agree = 2
}

/// The keys of `monitors[].confirm`.
enum ConfirmKey: String, CaseIterable {
    case from, ask, agree

    static let range = 1...100
}

/// The keys of one entry of `monitors`.
enum MonitorKey: String, CaseIterable {
    case name, required
    case interval = "interval_ms"
    case upAfter = "up_after"
    case downAfter = "down_after"
    case check, confirm

    static let intervalRange = 100...86_400_000
    static let countRange = 1...1000
}

/// A check in the configuration: the members of `POST /v1/checks`, written in YAML. `confirm.from` is such a value too.
///
/// The decoder of requests validates it later. Each value keeps its position, so that problems are reported with their
/// lines.
package struct ConfiguredCheck: Sendable {
    package let value: JSONValue
    let file: String
    /// The key of the configuration, as in `monitors[2].check`.
    let path: String
    /// The position of each value, by its JSON pointer.
    let places: [String: TextPosition]

    /// Converts a problem of the check into a problem of the configuration. It never contains a secret.
    package func problem(_ problem: JSONProblem) -> ConfigurationProblem {
        ConfigurationProblem(
            .file(file, place(of: problem.pointer)), path: path + CheckReader.keys(of: problem.pointer),
            reason: problem.detail)
    }

    /// The position of the value; for a missing member, the position of its parent.
    private func place(of pointer: String) -> TextPosition? {
        var pointer = pointer[...]
        while places[String(pointer)] == nil, let slash = pointer.lastIndex(of: "/") { pointer = pointer[..<slash] }
        return places[String(pointer)]
    }
}

/// Converts YAML into the JSON value of a request, and keeps the position of each part.
package struct CheckReader {
    /// The position of each value, by its JSON pointer.
    package private(set) var places: [String: TextPosition] = [:]
    package private(set) var problems: [Problem] = []

    /// A value that cannot be converted.
    package struct Problem {
        package let reason: String
        package let position: TextPosition
        /// The keys of the value below the check, as in `.tls.verify`.
        package let keys: String
    }

    package init() {}

    /// `/dialog/0/expect` as `.dialog[0].expect`.
    package static func keys(of pointer: String) -> String {
        pointer.split(separator: "/").reduce(into: "") { keys, token in
            keys += token.allSatisfy(\.isWholeNumber) ? "[\(token)]" : ".\(token)"
        }
    }

    package mutating func value(of node: YAMLNode, pointer: String) -> JSONValue {
        places[pointer] = node.position
        switch node.content {
        case .refused:
            return .null
        case .scalar:
            do {
                return try node.jsonScalar()
            } catch {
                report(error, at: node.position, pointer: pointer)
                return .null
            }
        case .sequence(let items):
            return .array(items.enumerated().map { value(of: $1, pointer: "\(pointer)/\($0)") })
        case .mapping(let entries):
            return .object(JSONObject(members: members(of: entries, pointer: pointer)))
        }
    }

    private mutating func report(_ refusal: ValueRefusal, at position: TextPosition, pointer: String) {
        problems.append(Problem(reason: refusal.reason, position: position, keys: Self.keys(of: pointer)))
    }

    private mutating func members(of entries: [YAMLEntry], pointer: String) -> [JSONObject.Member] {
        var members: [JSONObject.Member] = []
        var names: Set<String> = []
        for entry in entries {
            let name = entry.key.text
            guard names.insert(name).inserted else {
                report(
                    ValueRefusal(sentence: "has the key \(Quote.value(name)) twice"), at: entry.position,
                    pointer: pointer)
                continue
            }
            let escaped = name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
            members.append(.init(key: name, value: value(of: entry.value, pointer: "\(pointer)/\(escaped)")))
        }
        return members
    }
}

extension YAMLNode {
    /// The scalar as a JSON value. Scalars that YAML readers interpret differently are rejected.
    fileprivate func jsonScalar() throws(ValueRefusal) -> JSONValue {
        guard case .scalar(let scalar) = content else { return .null }
        switch scalar.kind {
        case .string: return .string(scalar.text)
        case .null: return .null
        case .boolean: return .bool(try flag())
        case .integer(let value): return .integer(Int64(value))
        case .otherNumber: throw ValueRefusal(sentence: "is ambiguous, got \(words): put it in quotes")
        }
    }

    /// The Boolean: `true` or `false`, as in YAML 1.1 and 1.2.
    package func flag() throws(ValueRefusal) -> Bool {
        guard case .scalar(let scalar) = content, scalar.isPlain, ["true", "false"].contains(scalar.text) else {
            throw ValueRefusal(sentence: "must be true or false, got \(words)")
        }
        return scalar.text == "true"
    }
}
