/// A part of a YAML document with its place; nothing of its meaning is decided yet.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
        /// Something that connectd does not take (an alias, a tag), reported already: nothing more is said about it.
        case refused
    }

    let content: Content
    let position: TextPosition
}

/// A key of a mapping with its value. Duplicates are still there, for whoever knows the path to name them.
struct YAMLEntry: Sendable {
    let key: YAMLScalar
    let position: TextPosition
    let value: YAMLNode
}

/// A scalar as it was written.
struct YAMLScalar: Sendable {
    let text: String
    /// Whether it stands without quotes, so that YAML gives it a type by its looks.
    let isPlain: Bool
    /// `!!binary`, `!mine`; nil where there is none, and for `!`.
    var tag: String?

    /// What the scalar is. Where YAML 1.1 and 1.2 disagree (`no`, `0644`, `1:30`), it is none that any key takes.
    var kind: Kind {
        guard isPlain, tag == nil else { return tag == "!!null" && Self.nulls.contains(text) ? .null : .string }
        if Self.nulls.contains(text) { return .null }
        if Self.booleans.contains(text) { return .boolean }
        if let value = PlainDecimal.read(text) { return .integer(value) }
        return Self.looksNumeric(text) ? .otherNumber : .string
    }

    enum Kind: Equatable, Sendable {
        case string
        case null
        case boolean
        /// Digits without a leading zero, with a minus before them at most, within Int.
        case integer(Int)
        /// Octal, hexadecimal, sexagesimal, fractions, underscores, signs, dates, or too large.
        case otherNumber
    }

    private static let nulls: Set<String> = ["", "~", "null", "Null", "NULL"]

    private static let booleans: Set<String> = [
        "true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON",
        "off", "Off", "OFF", "y", "Y", "n", "N",
    ]

    /// Whether a reader of YAML 1.1 or 1.2 may see a number or a date in a text that is no plain decimal.
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

    /// Parts of digits between colons (base 60), a point in the last, an exponent behind.
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

    /// `2026-01-31`, with or without a time behind it.
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
    /// What stands here, for messages: "must be a list, got …".
    var words: String {
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

    /// The text, or why there is none. A plain word that YAML may take for something else needs quotes.
    func text() throws(ValueRefusal) -> String {
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

    /// The whole number, or why there is none.
    func integer() throws(ValueRefusal) -> Int {
        guard case .scalar(let scalar) = content, case .integer(let value) = scalar.kind else {
            throw ValueRefusal(sentence: "must be an integer in plain decimal digits, got \(words)")
        }
        return value
    }
}

/// Whole numbers as every key takes them, in the file and in the environment.
enum PlainDecimal {
    /// Reads `0`, `17`, `-3`: digits without a leading zero, a plus or blanks, within Int; nil for anything else.
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
