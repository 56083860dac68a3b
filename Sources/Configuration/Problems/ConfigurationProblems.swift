/// Everything that is wrong with a configuration, never empty: files first, in the order of their lines.
package struct ConfigurationProblems: Error, Hashable, Sendable {
    package let problems: [ConfigurationProblem]

    /// - Parameter problems: at least one.
    package init(_ problems: [ConfigurationProblem]) {
        // Sorted by place, stable: problems of one place stay in the order in which they were found.
        self.problems = problems.enumerated().sorted { left, right in
            let (leftRank, rightRank) = (Self.rank(left.element), Self.rank(right.element))
            return leftRank == rightRank ? left.offset < right.offset : leftRank < rightRank
        }.map(\.element)
    }

    private static func rank(_ problem: ConfigurationProblem) -> (Int, TextPosition) {
        let start = TextPosition(line: 0, column: 0)
        return switch problem.source {
        case .file(_, let position): (0, position ?? start)
        case .environment: (1, start)
        case .flag: (2, start)
        }
    }
}

extension ConfigurationProblems: CustomStringConvertible {
    /// A line for each problem.
    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
