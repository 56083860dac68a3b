/// A node of a YAML document with its position, before it is interpreted.
package struct YAMLNode: Sendable {
    package enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
        /// An unsupported node, such as one with a tag. It is already reported.
        case refused
    }

    package let content: Content
    package let position: TextPosition

    package init(content: Content, position: TextPosition) {
        self.content = content
        self.position = position
    }
}

/// A key of a mapping with its value. Duplicates are kept, so that the reader can report them with their path.
package struct YAMLEntry: Sendable {
    package let key: YAMLScalar
    package let position: TextPosition
    package let value: YAMLNode
}

/// A scalar as written.
package struct YAMLScalar: Sendable {
    package let text: String
    /// Whether it has no quotes, so that YAML infers its type.
    package let isPlain: Bool
    /// `!!binary`, `!mine`; nil for no tag, and for `!`.
    package var tag: String?

    /// The inferred type. If YAML 1.1 and 1.2 disagree (`no`, `0644`, `1:30`), no key accepts it.
    package var kind: Kind {
        guard isPlain, tag == nil else { return tag == "!!null" && Self.nulls.contains(text) ? .null : .string }
        if Self.nulls.contains(text) { return .null }
        if Self.booleans.contains(text) { return .boolean }
        if let value = PlainDecimal.read(text) { return .integer(value) }
        return Self.looksNumeric(text) ? .otherNumber : .string
    }

    package enum Kind: Equatable, Sendable {
        case string
        case null
        case boolean
        /// Digits without a leading zero, with an optional minus, within Int.
        case integer(Int)
        /// Octal, hexadecimal, sexagesimal, fractions, underscores, signs, dates, or too large.
        case otherNumber
    }

    private static let nulls: Set<String> = ["", "~", "null", "Null", "NULL"]

    private static let booleans: Set<String> = [
        "true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON",
        "off", "Off", "OFF", "y", "Y", "n", "N",
    ]

    /// Whether a reader of YAML 1.1 or 1.2 may take the text, which is not a plain decimal, for a number or a date.
    private static func looksNumeric(_ text: String) -> Bool {
        let body = text.first.map { "+-".contains($0) } == true ? text.dropFirst() : text[...]
        let lowered = body.lowercased()
        if [".inf", ".nan"].contains(lowered) { return true }
        for (prefix, digits) in [("0x", "0123456789abcdef_"), ("0o", "01234567_"), ("0b", "01_")]
        where lowered.hasPrefix(prefix) && lowered.count > 2 {
            return lowered.dropFirst(2).allSatisfy { digits.contains($0) }
        }
        guard let digit = lowered.first(where: { $0 != "." }), decimals.contains(digit) else { return false }
        return isNumber(lowered) || isDate(text)
    }

    /// Parts of digits between colons (base 60), a point in the last part, an exponent at the end.
    private static func isNumber(_ text: String) -> Bool {
        let halves = text.split(separator: "e", omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: ":", omittingEmptySubsequences: false)
        guard halves.count <= 2, let last = parts.last else { return false }
        let isMantissa =
            parts.dropLast().allSatisfy { !$0.isEmpty && $0.allSatisfy(isDigitOrUnderscore) } && !last.isEmpty
            && last.allSatisfy { isDigitOrUnderscore($0) || $0 == "." } && last.count { $0 == "." } <= 1
        guard isMantissa, halves.count == 2 else { return isMantissa }
        let exponent = halves[1].first.map { "+-".contains($0) } == true ? halves[1].dropFirst() : halves[1]
        return !exponent.isEmpty && exponent.allSatisfy { decimals.contains($0) }
    }

    /// `2026-01-31`, with or without a time after it.
    private static func isDate(_ text: String) -> Bool {
        let parts = text.prefix(10).split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [4, 2, 2] && parts.allSatisfy { $0.allSatisfy { decimals.contains($0) } }
    }

    private static let decimals = "0123456789"

    private static func isDigitOrUnderscore(_ character: Character) -> Bool {
        decimals.contains(character) || character == "_"
    }
}

extension YAMLNode {
    /// A description for messages: "must be a list, got …".
    package var words: String {
        switch content {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .refused: "an unsupported value"
        case .scalar(let scalar):
            switch scalar.kind {
            case .string: "the string \(Quote.value(scalar.text))"
            case .null: "nothing"
            case .boolean: "\(scalar.text), which YAML reads as a boolean"
            case .integer: "the number \(scalar.text)"
            case .otherNumber:
                "\(Quote.plain(scalar.text.prefix(60))), which some YAML readers take for a number or date"
            }
        }
    }

    /// The string. A plain word that YAML may read as another type needs quotes.
    package func text() throws(ValueRefusal) -> String {
        guard case .scalar(let scalar) = content else {
            throw ValueRefusal(sentence: "must be a string, got \(words)")
        }
        switch scalar.kind {
        case .string: return scalar.text
        case .null: throw ValueRefusal(sentence: "must be a string, got nothing")
        case .boolean, .integer, .otherNumber:
            throw ValueRefusal(sentence: "must be a string, got \(words): put it in quotes")
        }
    }

    /// The integer.
    package func integer() throws(ValueRefusal) -> Int {
        guard case .scalar(let scalar) = content, case .integer(let value) = scalar.kind else {
            throw ValueRefusal(sentence: "must be an integer in plain decimal digits, got \(words)")
        }
        return value
    }
}

/// Parses integers for keys, in the file and in the environment.
enum PlainDecimal {
    /// Parses `0`, `17`, `-3`: no leading zero, plus or blanks, within Int; nil for anything else.
    static func read(_ text: some StringProtocol) -> Int? {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard let first = digits.first, digits.allSatisfy(isDigit) else { return nil }
        guard first != UInt8(ascii: "0") || text.utf8.count == 1 else { return nil }
        return Int(text)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
