import AccessPolicy
import CheckModel
import ErrorCatalogue
import NetworkTypes

/// Results in the format of monitoring plugins: a line with a summary and performance data, and with several targets one
/// more line for each of them.
struct NagiosReport {
    private struct Verdict {
        let state: NagiosState
        let text: String
        /// The hint; empty for a success.
        var hint = ""

        var line: String { hint.isEmpty ? text : "\(text). \(hint)" }
    }

    /// What the report needs of one result.
    private struct Entry {
        let index: Int
        let verdict: Verdict
        let data: [String]
    }

    private let limits: NagiosLimits
    private let total: Int
    private var entries: [Entry] = []

    /// - Parameter total: The number of results that will be added.
    init(total: Int, limits: NagiosLimits) {
        self.total = total
        self.limits = limits
    }

    init(_ results: [CheckResult], of requests: [CheckRequest], limits: NagiosLimits) {
        self.init(total: results.count, limits: limits)
        for (index, result) in results.enumerated() { add(result, of: requests[index], at: index) }
    }

    /// - Parameter index: The position among the targets, which may be added in any order.
    mutating func add(_ result: CheckResult, of request: CheckRequest, at index: Int) {
        let data = NagiosPerformance(limits: limits, labelsTarget: total > 1).data(of: result, request)
        entries.append(Entry(index: index, verdict: Self.verdict(on: result, of: request, limits), data: data))
    }

    var state: NagiosState { entries.map(\.verdict.state).max { $0.weight < $1.weight } ?? .unknown }

    var text: String {
        let sorted = entries.sorted { $0.index < $1.index }
        let verdicts = sorted.map(\.verdict)
        let data = sorted.flatMap(\.data)
        let summary = verdicts.count == 1 ? verdicts[0].line : Self.summary(of: verdicts)
        let details = verdicts.count == 1 ? [] : verdicts.map { Self.clean("[\($0.state.word)] \($0.line)") }
        let first = Self.line(state, summary) + (data.isEmpty ? "" : " | " + data.joined(separator: " "))
        return ([first] + details).joined(separator: "\n")
    }

    /// One line without performance data.
    static func line(_ state: NagiosState, _ text: String) -> String {
        clean("CONNECTD \(state.word) - \(text)")
    }

    private static func summary(of verdicts: [Verdict]) -> String {
        let ok = verdicts.count { $0.state == .ok }
        let worst = verdicts.filter { $0.state != .ok }.max { $0.state.weight < $1.state.weight }
        return "\(ok) of \(verdicts.count) targets ok" + (worst.map { "; \($0.text)" } ?? "")
    }

    private static func verdict(on result: CheckResult, of request: CheckRequest, _ limits: NagiosLimits) -> Verdict {
        let target = request.target.text
        if result.isUnverified(request) {
            let hint = Unverified.hint(acceptance: "--expect associated")
            return Verdict(state: .unknown, text: "\(target) \(Unverified.reason(request.target))", hint: hint)
        }
        guard result.ok else {
            let hint = HintValues.hint(for: result, of: request) ?? ""
            return Verdict(state: failure(of: result), text: "\(target) \(reason(of: result))", hint: hint)
        }
        let (state, reason) = limits.judge(result)
        let address = result.attempts.last { $0.outcome.isSuccess }.flatMap(HumanReport.address(of:))
        let time = HumanReport.milliseconds(result.timings[.total])
        let parts = [result.outcome.word, address.map { "(\($0))" }, "in \(time)"].compactMap { $0 }
        let text = "\(target) \(parts.joined(separator: " "))" + (reason.map { ", \($0)" } ?? "")
        return Verdict(state: state, text: text)
    }

    private static func reason(of result: CheckResult) -> String {
        guard let error = result.error else { return "\(result.outcome.word), which was not expected" }
        return """
            \(result.outcome.word): \(error.name) (\(error.message)) in phase \(result.phase.rawValue), \
            fault: \(error.fault.rawValue)
            """
    }

    /// CRITICAL is for failures of the target or the network. UNKNOWN is for failures of the prober, and for checks that did
    /// not run.
    private static func failure(of result: CheckResult) -> NagiosState {
        switch result.outcome {
        case .failed(.denied), .failed(.invalid), .failed(.cancelled): .unknown
        case .connected, .associated, .answered, .failed: result.error?.fault == .prober ? .unknown : .critical
        }
    }

    /// A pipe sign starts performance data, and a line end ends the summary, so neither may come from a target's name. It
    /// works on scalars: a combining accent after `|` makes another Character, but readers of bytes still see the `|`.
    private static func clean(_ text: String) -> String {
        let oneLine = text.unicodeScalars.map { $0 == "|" ? "/" : $0.endsLine ? " " : $0 }
        return TerminalText.clean(String(String.UnicodeScalarView(oneLine)))
    }
}

extension Unicode.Scalar {
    /// Whether some readers treat it as a line end.
    var endsLine: Bool {
        switch value {
        case 0x0A...0x0D, 0x85, 0x2028, 0x2029: true
        case _: false
        }
    }
}

/// Performance data of monitoring plugins: `'label'=value[unit];[warn];[crit];[min];[max]`.
///
/// A failed check has no time, because its duration says nothing about the target.
struct NagiosPerformance {
    let limits: NagiosLimits
    /// Whether labels contain the target, as they do with several targets.
    let labelsTarget: Bool

    func data(of result: CheckResult, _ request: CheckRequest) -> [String] {
        let hasTime = result.outcome.isSuccess && !result.isUnverified(request)
        return [hasTime ? time(of: result, request) : nil, days(of: result, request)].compactMap { $0 }
    }

    private func time(of result: CheckResult, _ request: CheckRequest) -> String {
        let limits = [limits.warning, limits.critical].map { $0.map { Self.seconds($0.milliseconds) } ?? "" }
        let value = Self.seconds(microseconds: result.timings[.total] / 1000)
        let most = Self.seconds(request.timeoutMilliseconds)
        return "\(label("time", request))=\(value)s;\(limits[0]);\(limits[1]);0;\(most)"
    }

    /// A range such as `14:` alerts below 14.
    private func days(of result: CheckResult, _ request: CheckRequest) -> String? {
        guard let seconds = NagiosLimits.secondsLeft(of: result) else { return nil }
        let limits = [limits.warningDays, limits.criticalDays].map { $0.map { "\($0):" } ?? "" }
        return "\(label("days", request))=\(NagiosLimits.days(seconds));\(limits[0]);\(limits[1]);;"
    }

    /// Doubles quotation marks, and replaces characters that a label cannot contain. It works on scalars, so that a
    /// combining accent hides none of them.
    private func label(_ name: String, _ request: CheckRequest) -> String {
        guard labelsTarget else { return name }
        let target = request.target.text.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
            switch scalar {
            case "'": ["'", "'"]
            case "=", "|": ["_"]
            case _: scalar.endsLine ? ["_"] : [scalar]
            }
        }
        return "'\(String(String.UnicodeScalarView(target))) \(name)'"
    }

    /// Without trailing zeros: `0.2`, `5`.
    private static func seconds(_ milliseconds: Int) -> String {
        let text = decimal(milliseconds, places: 3)
        let end = text.lastIndex { $0 != "0" } ?? text.startIndex
        return text[end] == "." ? String(text[..<end]) : String(text[...end])
    }

    private static func seconds(microseconds: Int64) -> String { decimal(Int(microseconds), places: 6) }

    private static func decimal(_ value: Int, places: Int) -> String {
        let digits = String(value)
        let padded = String(repeating: "0", count: max(places + 1 - digits.count, 0)) + digits
        return "\(padded.dropLast(places)).\(padded.suffix(places))"
    }
}

/// The states of monitoring plugins; the raw value is the exit status.
enum NagiosState: Int32 {
    case ok = 0
    case warning = 1
    case critical = 2
    case unknown = 3

    var word: String {
        switch self {
        case .ok: "OK"
        case .warning: "WARNING"
        case .critical: "CRITICAL"
        case .unknown: "UNKNOWN"
        }
    }

    /// The order of severity, as in monitoring plugins: UNKNOWN does not hide a WARNING or CRITICAL.
    var weight: Int {
        switch self {
        case .ok: 0
        case .unknown: 1
        case .warning: 2
        case .critical: 3
        }
    }
}
