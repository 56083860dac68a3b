/// Text of others in quotation marks, on one line.
enum QuotedText {
    /// Quotation marks, backslashes, line ends and tabs with a backslash in front.
    /// - Parameter escape: what stands for any other scalar; nil: the scalar itself.
    static func text(_ text: some StringProtocol, escape: (Unicode.Scalar) -> String?) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _:
                if let escaped = escape(scalar) {
                    result += escaped
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// The same, with controls and what turns the text around it as `\u{1b}`.
    static func text(_ text: some StringProtocol) -> String {
        self.text(text) { isControl($0) ? "\\u{\(String($0.value, radix: 16))}" : nil }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        case _: false
        }
    }
}
