import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
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

/// How many checks ended how.
struct CheckTally {
    let total: Int
    private(set) var finished = 0
    private(set) var ok = 0
    private(set) var unverified = 0
    /// Timeouts that were not expected.
    private(set) var timeouts = 0
    private var counts: [Outcome: Int] = [:]
    private var failures: [Outcome: Int] = [:]

    init(total: Int) {
        self.total = total
    }

    var failed: Int { finished - ok - unverified }

    mutating func add(_ result: CheckResult, _ verdict: CheckVerdict) {
        finished += 1
        counts[result.outcome, default: 0] += 1
        switch verdict {
        case .ok: ok += 1
        case .unverified: unverified += 1
        case .failed:
            failures[result.outcome, default: 0] += 1
            if result.outcome == .failed(.timeout) { timeouts += 1 }
        }
    }

    /// `9 connected, 3 refused`, in the order of the vocabulary.
    var byOutcome: String { Self.list(counts) }

    /// `5 targets in 1.02 s: 3 ok, 2 failed (1 refused, 1 timeout)`.
    /// - Parameter isInterrupted: whether the run ended early.
    func summary(afterNanoseconds nanoseconds: Int64, isInterrupted: Bool) -> String {
        let time = TimeText.seconds(nanoseconds)
        let targets = "\(total) \(total == 1 ? "target" : "targets")"
        var parts = ["\(ok) ok", "\(failed) failed" + (failed > 0 ? " (\(Self.list(failures)))" : "")]
        if unverified > 0 { parts.append("\(unverified) not verified") }
        guard isInterrupted else { return "\(targets) in \(time): \(parts.joined(separator: ", "))" }
        parts.append("\(total - finished) not finished")
        return "interrupted after \(time), \(finished) of \(targets) finished: \(parts.joined(separator: ", "))"
    }

    /// A table of the outcomes; empty where the summary line says as much.
    var table: [String] {
        let rows = Outcome.all.compactMap { outcome in counts[outcome].map { (outcome.word, String($0)) } }
        guard total > 10, rows.count > 1 else { return [] }
        let all = [("OUTCOME", "TARGETS")] + rows
        let width = all.map(\.0.count).max() ?? 0
        return all.map { "\($0.0.padded(to: width))  \($0.1.paddedLeft(to: 7))" }
    }

    private static func list(_ counts: [Outcome: Int]) -> String {
        Outcome.all.compactMap { outcome in counts[outcome].map { "\($0) \(outcome.word)" } }.joined(separator: ", ")
    }
}

/// Times for people.
enum TimeText {
    /// `0.31 s`, `12.5 s`, `3 min 20 s`.
    static func seconds(_ nanoseconds: Int64) -> String {
        let hundredths = max(nanoseconds, 0) / 10_000_000
        if hundredths >= 6000 { return whole(seconds: hundredths / 100) }
        let fraction = hundredths % 100
        if hundredths >= 1000 { return "\(hundredths / 100).\(fraction / 10) s" }
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
    }

    /// `8 s`, `3 min 20 s`, `2 h 5 min`.
    static func whole(seconds: Int64) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
        default: "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        }
    }
}

/// How the command line judges a result.
enum CheckVerdict: Hashable {
    case ok
    case failed
    /// A datagram socket has its peer, and nothing was heard from it. That says nothing about the peer, so that only a request
    /// that names `associated` takes it for a success.
    case unverified

    init(_ result: CheckResult, of request: CheckRequest) {
        if result.isUnverified(request) {
            self = .unverified
        } else {
            self = result.ok ? .ok : .failed
        }
    }
}

extension CheckResult {
    /// Whether nothing was heard from the peer, and the request does not ask for just that.
    func isUnverified(_ request: CheckRequest) -> Bool {
        guard ok, outcome == .associated else { return false }
        switch request.expectation {
        case .oneOf(let outcomes): return !outcomes.contains(.associated)
        case .transportSuccess, .not: return true
        }
    }
}

/// What is said about a datagram socket that heard nothing.
enum Unverified {
    static func reason(_ target: Target) -> String {
        switch target.peer {
        case .udp: "not verified: UDP has no handshake"
        case .tcp, .unix: "not verified: datagram sockets have no handshake"
        }
    }

    /// - Parameter acceptance: the flag by which the caller accepts it.
    static func hint(acceptance: String) -> String {
        """
        No answer was asked for, so nothing is known about the peer: give --send and --match with a question that it must \
        answer, or \(acceptance).
        """
    }
}
