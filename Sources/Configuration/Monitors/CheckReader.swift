internal import StrictJSON

/// Turns YAML into the JSON value that a request would have, and keeps the place of each part.
struct CheckReader {
    private(set) var places: [String: TextPosition] = [:]
    private(set) var problems: [(ValueRefusal, TextPosition)] = []

    mutating func value(of node: YAMLNode, pointer: String) -> JSONValue {
        places[pointer] = node.position
        switch node.content {
        case .refused:
            return .null
        case .scalar:
            do {
                return try node.jsonScalar()
            } catch {
                problems.append((error, node.position))
                return .null
            }
        case .sequence(let items):
            return .array(items.enumerated().map { value(of: $1, pointer: "\(pointer)/\($0)") })
        case .mapping(let entries):
            return .object(JSONObject(members: members(of: entries, pointer: pointer)))
        }
    }

    private mutating func members(of entries: [YAMLEntry], pointer: String) -> [JSONObject.Member] {
        var members: [JSONObject.Member] = []
        for entry in entries {
            let name = entry.key.text
            guard !members.contains(where: { $0.key == name }) else {
                problems.append((ValueRefusal(sentence: "the key \(Quote.value(name)) is there twice"), entry.position))
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
    /// The scalar as JSON has it; what readers of YAML disagree about is refused.
    fileprivate func jsonScalar() throws(ValueRefusal) -> JSONValue {
        guard case .scalar(let scalar) = content else { return .null }
        switch scalar.kind {
        case .string: return .string(scalar.text)
        case .null: return .null
        case .boolean: return .bool(try flag())
        case .integer(let value): return .integer(Int64(value))
        case .otherNumber: throw ValueRefusal(sentence: "\(words): put it in quotes")
        }
    }

    /// true or false as both versions of YAML write them, or why it is none.
    func flag() throws(ValueRefusal) -> Bool {
        guard case .scalar(let scalar) = content, scalar.isPlain, ["true", "false"].contains(scalar.text) else {
            throw ValueRefusal(sentence: "must be true or false, but is \(words)")
        }
        return scalar.text == "true"
    }
}
