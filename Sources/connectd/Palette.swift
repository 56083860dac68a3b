/// Colours of a terminal, or none: SGR sequences of ECMA-48.
struct Palette {
    /// What `--color` says.
    enum Choice: String, CaseIterable {
        case auto, always, never
    }

    let isColored: Bool

    static let plain = Palette(isColored: false)

    /// - Parameters:
    ///   - isTerminal: whether what is written to is one.
    ///   - environment: `NO_COLOR` (any value but an empty one) and `TERM=dumb` keep colours away, unless they are asked for.
    init(_ choice: Choice, isTerminal: Bool, environment: [String: String]) {
        switch choice {
        case .always: isColored = true
        case .never: isColored = false
        case .auto:
            let isWanted = (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
            isColored = isTerminal && isWanted
        }
    }

    private init(isColored: Bool) {
        self.isColored = isColored
    }

    func good(_ text: String) -> String { painted(text, "32") }

    func bad(_ text: String) -> String { painted(text, "1;31") }

    func pending(_ text: String) -> String { painted(text, "33") }

    private func painted(_ text: String, _ code: String) -> String {
        isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
