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
