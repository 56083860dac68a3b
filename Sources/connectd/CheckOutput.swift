import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import SocketIO

/// What `check` prints while checks run and at their end, for people.
struct CheckOutput {
    private let checks: [PreparedCheck]
    private let palette: Palette
    private let isVerbose: Bool
    private let layout: ReportLayout
    private let started = Clock.now()
    private var hints = HintCollection()
    private(set) var tally: CheckTally
    private let repeatsTimeouts: Bool

    /// From so many timeouts on, rate-limited ICMP is worth a word.
    private static let manyTimeouts = 5
    /// So many targets that have not finished are named.
    private static let namedUnfinished = 20

    init(checks: [PreparedCheck], palette: Palette, isVerbose: Bool, repeatsTimeouts: Bool) {
        self.checks = checks
        self.palette = palette
        self.isVerbose = isVerbose
        self.repeatsTimeouts = repeatsTimeouts
        layout = ReportLayout(checks.map(\.request.target))
        tally = CheckTally(total: checks.count)
    }

    /// Takes one result.
    /// - Returns: what to print for it now.
    mutating func take(_ result: CheckResult, at index: Int) -> String {
        let request = checks[index].request
        tally.add(result, CheckVerdict(result, of: request))
        hints.add(result, of: request)
        // A single hint stands next to its result.
        let hint = checks.count == 1 ? HintCollection.text(for: result, of: request) : nil
        return HumanReport.text(
            result, of: request, layout: layout, hint: hint, isVerbose: isVerbose, in: palette)
    }

    /// What follows the results: each hint once, a table, and the summary line.
    /// - Parameter unfinished: the checks of a run that was interrupted; nil for one that is complete.
    func ending(unfinished: [Int]?) -> String? {
        guard checks.count > 1 || unfinished != nil else { return nil }
        var blocks: [[String]] = []
        if let unfinished, !unfinished.isEmpty {
            let named = unfinished.prefix(Self.namedUnfinished).map { index in
                "\(palette.pending("--  "))  \(TerminalText.clean(checks[index].request.target.text).padded(to: layout.target))  not finished"
            }
            let hidden = unfinished.count - named.count
            blocks.append(named + (hidden > 0 ? ["and \(hidden) more that are not finished"] : []))
        }
        if checks.count > 1 { blocks.append(hints.lines + notes) }
        blocks.append(tally.table)
        blocks.append([summary(isInterrupted: unfinished != nil)])
        return "\n" + blocks.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    /// The summary line.
    func summary(isInterrupted: Bool) -> String {
        tally.summary(afterNanoseconds: Clock.now().since(started), isInterrupted: isInterrupted)
    }

    private var notes: [String] {
        guard tally.timeouts >= Self.manyTimeouts else { return [] }
        let count = "\(tally.timeouts) timeouts: "
        if repeatsTimeouts { return [count + "they were repeated slowly, so that rate-limited ICMP is not the cause"] }
        return [
            count + """
                a router that rejects looks the same when it limits its ICMP errors (Linux sends about one a second): \
                repeat them slowly with --retry-timeouts 1
                """
        ]
    }
}
