/// Prepares untrusted text for reports.
enum ReportText {
    /// Control characters, line separators, marks of writing direction and noncharacters become `\u{…}`.
    static func clean(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        return replacing(text, replacement(forUnsafe:))
    }

    /// `\u{1B}` for a scalar that `clean` replaces; nil for any other.
    static func replacement(forUnsafe scalar: Unicode.Scalar) -> String? {
        isUnsafe(scalar) ? escape(scalar) : nil
    }

    /// The text with some of its scalars replaced.
    /// - Parameter replacement: nil keeps the scalar.
    static func replacing(_ text: String, _ replacement: (Unicode.Scalar) -> String?) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if let new = replacement(scalar) {
                result += new
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `\u{7C}`, as in `TerminalText`.
    static func escape(_ scalar: Unicode.Scalar) -> String {
        "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
    }

    /// `0.000312`: seconds with six digits after the point. Negative durations become 0.
    static func seconds(_ nanoseconds: Int64) -> String { decimal(nanoseconds / 1000, digits: 6) }

    /// `0.312`: milliseconds with three digits after the point.
    static func milliseconds(_ nanoseconds: Int64) -> String { decimal(nanoseconds / 1000, digits: 3) }

    private static func decimal(_ value: Int64, digits: Int) -> String {
        let text = String(max(value, 0))
        let padded = String(repeating: "0", count: max(digits + 1 - text.count, 0)) + text
        return "\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20...0x7E).contains(scalar.value) { return false }
        let isNoncharacter = scalar.value & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(scalar.value)
        return isNoncharacter || TerminalText.isUnsafe(scalar)
    }
}
