import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// The text output of `check`: results, hints and the summary.
struct CheckOutput {
    private let palette: Palette
    private let isVerbose: Bool
    private let layout: ReportLayout
    private let started = Clock.now()
    private var hints = HintCollection()
    private(set) var tally: CheckTally
    private let repeatsTimeouts: Bool
    /// Whether the targets come from a file: the table is then printed for any number of them.
    private let isList: Bool

    /// From this number of timeouts on, a note mentions rate-limited ICMP.
    private static let manyTimeouts = 5
    /// The maximum number of unfinished targets to list.
    private static let namedUnfinished = 20

    /// - Parameters:
    ///   - total: The number of all targets.
    ///   - widestTarget: The length of the longest target.
    ///   - isList: Whether the targets come from a file.
    init(
        total: Int, widestTarget: Int, palette: Palette, isVerbose: Bool, repeatsTimeouts: Bool, isList: Bool = false
    ) {
        self.isList = isList
        self.palette = palette
        self.isVerbose = isVerbose
        self.repeatsTimeouts = repeatsTimeouts
        layout = ReportLayout(widest: widestTarget, count: total)
        tally = CheckTally(total: total)
    }

    /// Counts one result, and keeps its hint for the end.
    mutating func count(_ result: CheckResult, of request: CheckRequest, collectsHints: Bool) {
        tally.add(result, CheckVerdict(result, of: request))
        if collectsHints { hints.add(result, of: request) }
    }

    /// The text of one result.
    func lines(_ result: CheckResult, of request: CheckRequest) -> String {
        // A single hint is printed with its result.
        let hint = tally.total == 1 ? HintCollection.text(for: result, of: request) : nil
        return HumanReport.text(
            result, of: request, layout: layout, hint: hint, isVerbose: isVerbose, in: palette)
    }

    /// The text after the results: each hint once, a table, and the summary line.
    /// - Parameter unfinished: the targets of a run that was interrupted; nil for one that is complete.
    func epilogue(unfinished: [Target]?) -> String? {
        guard tally.total > (isList ? 0 : 1) || unfinished != nil else { return nil }
        var blocks: [[String]] = []
        if let unfinished, !unfinished.isEmpty {
            let named = unfinished.prefix(Self.namedUnfinished).map { target in
                "\(palette.pending("--  "))  \(TerminalText.clean(target.text).padded(to: layout.target))  not finished"
            }
            let hidden = unfinished.count - named.count
            blocks.append(named + (hidden > 0 ? ["and \(hidden) more not finished"] : []))
        }
        if tally.total > 1 { blocks.append(hints.lines + notes) }
        blocks.append(tally.table(isList: isList))
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
        if repeatsTimeouts { return [count + "they were repeated slowly, so rate-limited ICMP is not the cause"] }
        return [
            count + """
                routers limit their ICMP errors (Linux sends about one per second), so a rejected target can time out. \
                Repeat the timeouts slowly with --retry-timeouts 1
                """
        ]
    }
}

/// The numbers of results by outcome and verdict.
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

    /// A table of the outcomes.
    /// - Parameter isList: Whether it is never left out. Otherwise it is empty if the summary line says the same.
    func table(isList: Bool = false) -> [String] {
        let rows = Outcome.all.compactMap { outcome in counts[outcome].map { (outcome.word, String($0)) } }
        guard isList ? !rows.isEmpty : total > 10 && rows.count > 1 else { return [] }
        let all = [("OUTCOME", "TARGETS")] + rows
        let width = all.map(\.0.count).max() ?? 0
        return all.map { "\($0.0.padded(to: width))  \($0.1.paddedLeft(to: 7))" }
    }

    private static func list(_ counts: [Outcome: Int]) -> String {
        Outcome.all.compactMap { outcome in counts[outcome].map { "\($0) \(outcome.word)" } }.joined(separator: ", ")
    }
}

/// Formats times for people.
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

/// The verdict of the command line about a result.
enum CheckVerdict: Hashable {
    case ok
    case failed
    /// A datagram socket was associated with its peer, but received nothing. This says nothing about the peer, so only a
    /// request that names `associated` counts it as a success.
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
    /// Whether the peer sent nothing, and the request does not expect `associated`.
    func isUnverified(_ request: CheckRequest) -> Bool {
        guard ok, outcome == .associated else { return false }
        switch request.expectation {
        case .oneOf(let outcomes): return !outcomes.contains(.associated)
        case .transportSuccess, .not: return true
        }
    }
}

/// Texts about a datagram socket that received nothing.
enum Unverified {
    static func reason(_ target: Target) -> String {
        switch target.peer {
        case .udp: "not verified: UDP has no handshake"
        case .tcp, .unix: "not verified: datagram sockets have no handshake"
        }
    }

    /// - Parameter acceptance: The flag that accepts such a result.
    static func hint(acceptance: String) -> String {
        """
        Use --preset, or --send and --match, to ask something that the peer must answer, or accept the result with \
        \(acceptance). Without an answer, nothing is known about the peer.
        """
    }
}
