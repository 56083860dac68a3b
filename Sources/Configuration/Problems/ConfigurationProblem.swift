/// One thing that is wrong with the configuration: where, which key, why.
package struct ConfigurationProblem: Hashable, Sendable {
    /// Where a value came from.
    package enum Source: Hashable, Sendable {
        /// A file, with the place in it where there is one (a file that cannot be read has none).
        case file(String, TextPosition?)
        /// A variable of the environment, by its name.
        case environment(String)
        /// A flag of the command line, as users write it: `--listen`.
        case flag(String)
    }

    package let source: Source
    /// The key, as in `policy.rules[2].cidr`; nil where the trouble is not with one key.
    package let path: String?
    /// What is wrong, in one sentence without a full stop. It never holds a secret.
    package let reason: String

    package init(_ source: Source, path: String? = nil, reason: String) {
        self.source = source
        self.path = path
        self.reason = reason
    }

    /// Where in the file; nil for other sources.
    package var position: TextPosition? {
        switch source {
        case .file(_, let position): position
        case .environment, .flag: nil
        }
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// `connectd.yaml:12:7: policy.rules[2].cidr: …`, one line.
    package var description: String {
        let place =
            switch source {
            case .file(let name, let position?): "\(Quote.plain(name)):\(position.line):\(position.column)"
            case .file(let name, nil): Quote.plain(name)
            case .environment(let name), .flag(let name): name
            }
        return path.map { "\(place): \(Quote.plain($0)): \(reason)" } ?? "\(place): \(reason)"
    }
}
