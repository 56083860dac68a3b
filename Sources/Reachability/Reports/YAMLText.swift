internal import StrictJSON

/// Writes values of YAML in flow style. Every reader of YAML 1.1 and 1.2 reads them alike.
enum YAMLText {
    /// A string; without quotes only if no reader could take it for anything else.
    static func string(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    static func list(_ items: [String]) -> String { "[\(items.joined(separator: ", "))]" }

    static func mapping(_ pairs: [(String, String)]) -> String {
        "{\(pairs.map { "\(string($0)): \($1)" }.joined(separator: ", "))}"
    }

    static func value(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .number(let number): quoted(String(number))
        case .string(let text): string(text)
        case .array(let items): list(items.map(Self.value))
        case .object(let object): mapping(object.members.map { ($0.key, Self.value($0.value)) })
        }
    }

    private static let reserved: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]

    /// Letters, digits, "-", "_", "." and single spaces, beginning and ending with a letter or digit.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.first, let last = text.last, first.isASCII, first.isLetter, isWord(last) else {
            return false
        }
        return !reserved.contains(text.lowercased())
            && text.allSatisfy { isWord($0) || $0 == "-" || $0 == "_" || $0 == "." || $0 == " " }
    }

    private static func isWord(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case " "..."~": result.unicodeScalars.append(scalar)
            default: result += escape(scalar)
            }
        }
        return result + "\""
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let isLetter = scalar.properties.isAlphabetic
        guard !isLetter else { return String(scalar) }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let width = scalar.value <= 0xFFFF ? 4 : 8
        return (width == 4 ? "\\u" : "\\U") + String(repeating: "0", count: width - digits.count) + digits
    }
}
