/// Everything that is wrong with a document, in the order in which it was found; costs nothing while it is empty.
public struct JSONProblems: Error, Sendable, Equatable {
    /// So many are kept, since a document of 16 MiB could hold a million.
    public static let limit = 64

    /// The first `limit` problems.
    public private(set) var problems: [JSONProblem] = []
    /// How many more there were.
    public private(set) var omittedCount = 0

    public init() {}

    /// Whether nothing is wrong.
    public var isEmpty: Bool { problems.isEmpty }

    /// Adds a problem; its texts are made only if it is kept.
    mutating func append(_ problem: @autoclosure () -> JSONProblem) {
        if problems.count < Self.limit {
            problems.append(problem())
        } else {
            omittedCount += 1
        }
    }

    /// Adds what was found in the same value.
    public mutating func appendAll(_ others: consuming JSONProblems) {
        for problem in others.problems { append(problem) }
        omittedCount += others.omittedCount
    }

    /// Adds what was found in the value behind one more token; pointers grow only here, so only where there is an error.
    public mutating func append(_ nested: consuming JSONProblems, under token: @autoclosure () -> JSONPointerToken) {
        if nested.isEmpty { return }
        let prefix = token().escaped
        for problem in nested.problems {
            append(JSONProblem(pointer: prefix + problem.pointer, detail: problem.detail))
        }
        omittedCount += nested.omittedCount
    }
}
