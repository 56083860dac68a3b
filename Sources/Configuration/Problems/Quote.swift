/// Shows text of others inside a message: short, and without characters that would disturb a terminal or a log.
enum Quote {
    /// In quotation marks, at most 60 characters.
    static func value(_ text: some StringProtocol) -> String {
        let shown = plain(text.prefix(60))
        return text.count > 60 ? "\"\(shown)…\"" : "\"\(shown)\""
    }

    /// The name of a file, in full.
    static func file(_ path: String) -> String { "\"\(plain(path))\"" }

    /// As it is, but for control characters, which become U+FFFD.
    static func plain(_ text: some StringProtocol) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{FFFD}" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
