/// Makes untrusted text safe to show in a terminal or a log line.
public enum VisibleText {
    /// Returns the text with `\u{…}` in place of each scalar that is invisible, ends a line, or changes how others are
    /// shown.
    ///
    /// Those are the control characters (C1 among them), the separators of lines and paragraphs, what Unicode calls
    /// format characters (such as U+202E, which turns the direction), and the other scalars that are ignored by default.
    /// Line feed, carriage return and tab are `\n`, `\r` and `\t`.
    public static func of(_ text: String) -> String {
        if text.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) { return text }
        return text.unicodeScalars.reduce(into: "") { visible, scalar in
            if needsEscape(scalar) {
                visible += escape(of: scalar)
            } else {
                visible.unicodeScalars.append(scalar)
            }
        }
    }

    /// Returns the beginning of a text of any length, made safe as by `of`. The end of a longer text is `…`.
    public static func excerpt(of text: String) -> String {
        let first = text.unicodeScalars.prefix(longestExcerpt)
        return of(String(first)) + (first.endIndex < text.unicodeScalars.endIndex ? "…" : "")
    }

    /// In Unicode scalars, because one character can have any number of them.
    private static let longestExcerpt = 63

    private static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        if 0x20...0x7E ~= scalar.value { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return true
        default: return scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    private static func escape(of scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default: "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        }
    }
}
