package import Configuration
package import StrictJSON

/// The members of a check request that a rule adds, each with its position in the file.
///
/// The decoder of requests validates them later, together with a target.
package struct RuleCheck: Sendable {
    /// In the order of the file.
    package private(set) var members: [JSONObject.Member] = []
    /// The position and the key of each value, by its JSON pointer.
    private var places: [String: ValuePosition] = [:]

    private struct ValuePosition {
        let position: TextPosition
        /// As in `rules[2].check.tls`.
        let path: String
    }

    package init() {}

    /// - Parameter path: the key of the object, as in `rules[2].check`.
    init(_ object: JSONObject, places: [String: TextPosition], path: String) {
        members = object.members
        for (pointer, position) in places {
            self.places[pointer] = ValuePosition(position: position, path: path + CheckReader.keys(of: pointer))
        }
    }

    /// The members of both; those of the other object replace members of the same name.
    func merging(_ other: RuleCheck) -> RuleCheck {
        var merged = other
        let names = Set(other.members.map(\.key))
        merged.members = members.filter { !names.contains($0.key) } + other.members
        for (pointer, place) in places where !names.contains(Self.name(in: pointer)) { merged.places[pointer] = place }
        return merged
    }

    /// Only the members whose names meet the condition.
    package func filtered(_ isIncluded: (String) -> Bool) -> RuleCheck {
        var filtered = self
        filtered.members = members.filter { isIncluded($0.key) }
        return filtered
    }

    /// The request for a target.
    package func request(for target: String) -> JSONValue {
        .object(JSONObject(members: [.init(key: "target", value: .string(target))] + members))
    }

    /// Converts a problem of the request into a problem of the file.
    /// - Parameter position: the position for a problem that concerns no member.
    package func problem(_ problem: JSONProblem, file: String, rule path: String, at position: TextPosition)
        -> ConfigurationProblem
    {
        var pointer = problem.pointer[...]
        while !pointer.isEmpty, places[String(pointer)] == nil {
            pointer = pointer[..<(pointer.lastIndex(of: "/") ?? pointer.startIndex)]
        }
        guard !pointer.isEmpty, let place = places[String(pointer)] else {
            let keys = CheckReader.keys(of: problem.pointer)
            return ConfigurationProblem(
                .file(file, position), path: path,
                reason: keys.isEmpty ? problem.detail : "\(keys.dropFirst()) \(problem.detail)")
        }
        let rest = CheckReader.keys(of: String(problem.pointer[pointer.endIndex...]))
        return ConfigurationProblem(.file(file, place.position), path: place.path + rest, reason: problem.detail)
    }

    /// `/tls/alpn/0` as `tls`.
    private static func name(in pointer: String) -> String {
        String(pointer.dropFirst().prefix { $0 != "/" })
    }
}
