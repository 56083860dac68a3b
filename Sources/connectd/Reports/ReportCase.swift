/// The verdict on one case of a report.
enum ReportVerdict: Int, CaseIterable {
    case pass
    /// The target did not answer as expected: `failure` in `check`, `violation` in `verify`.
    case failure
    /// The check says nothing about the target: fault prober, resolver or request.
    case error
    /// The check ran, but its result proves nothing.
    case inconclusive
}

/// One case of a report: one check and the verdict on it.
///
/// All texts may contain untrusted data, such as a peer's certificate. Each writer makes them safe for its format.
struct ReportCase {
    /// The position in the input, from 0. Formats that are written at the end sort the cases by it.
    let index: Int
    /// The group of the case: the name of a rule. Cases of one suite need not be adjacent.
    let suite: String
    /// The name, unique within its suite where the input allows it.
    let name: String
    /// The target as in results: `tcp://db.internal:5432`.
    let target: String
    let verdict: ReportVerdict
    /// The outcome of the check, such as `refused`.
    let outcome: String
    /// One line that explains the verdict.
    let message: String
    /// What to do next; nil for a pass.
    var hint: String?
    var durationNanoseconds: Int64 = 0
    /// Where the case was written; nil for an argument.
    var source: ReportLocation?
    /// One value for each of `ReportHeading.detailNames`, in that order; empty texts for unknown values.
    var details: [String] = []
    /// The case as `ReportFormat.content` says: a JSON object or text, without a line end. Empty for other formats.
    var content: [UInt8] = []
}

/// A line in a file.
struct ReportLocation: Hashable {
    /// The path as the user wrote it.
    let file: String
    /// From 1.
    let line: Int
    /// False for standard input.
    var isFile = true

    var text: String { "\(file):\(line)" }
}

/// What a report says before its first case.
struct ReportHeading {
    /// The name of the report, such as `connectd check`.
    let name: String
    /// The name of the verdict `failure`: `failure` or `violation`.
    var failureWord = "failure"
    /// Whether cases have a suite.
    var hasSuites = true
    /// The number of cases to expect.
    let total: Int
    /// The names of further values of each case, in lowercase letters and `_`.
    var detailNames: [String] = []
    /// The host name of the prober.
    let prober: String
    /// Wall-clock time, nanoseconds since 1970.
    let startedAtNanoseconds: Int64

    func word(_ verdict: ReportVerdict) -> String {
        switch verdict {
        case .pass: "pass"
        case .failure: failureWord
        case .error: "error"
        case .inconclusive: "inconclusive"
        }
    }
}

/// What a report says after its last case.
struct ReportSummary {
    /// One line for people: `5 targets in 1.02 s: 3 ok, 2 failed`.
    let text: String
    /// The text after the cases in the text format, such as tables and hints. nil for none.
    var epilogue: String?
    /// Cases without a result, because the run was interrupted.
    var unfinished = 0
    let durationNanoseconds: Int64
}

/// The numbers of cases by verdict.
struct ReportTally {
    private var counts = [Int](repeating: 0, count: ReportVerdict.allCases.count)

    mutating func add(_ verdict: ReportVerdict) {
        counts[verdict.rawValue] += 1
    }

    subscript(_ verdict: ReportVerdict) -> Int { counts[verdict.rawValue] }

    var total: Int { counts.reduce(0, +) }
    /// Cases that are errors in JUnit.
    var errors: Int { self[.error] + self[.inconclusive] }
}
