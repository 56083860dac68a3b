import CheckModel
import Configuration
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import Reachability
import SocketIO

/// Writes the verdicts of a run in one format.
struct VerifyReport {
    let plan: VerifyPlan
    let verdicts: VerifyVerdicts
    let findings: VerifySession.Findings
    let format: ReportFormat
    let palette: Palette
    let isVerbose: Bool
    let started: (monotonic: MonotonicTime, wall: Int64)

    /// `3 rules, 60 cases in 3.10 s: 57 pass, 2 violations, 1 error`.
    var summary: String {
        let rules = plan.policy.rules.count
        let cases = plan.cases.count
        let time = TimeText.seconds(Clock.now().since(started.monotonic))
        let counts = "\(rules) \(rules == 1 ? "rule" : "rules"), \(cases) \(cases == 1 ? "case" : "cases")"
        guard findings.signal != nil else { return "\(counts) in \(time): \(verdicts.tally.text)" }
        return """
            interrupted after \(time), \(verdicts.cases.count) of \(counts) finished: \(verdicts.tally.text), \
            \(verdicts.unfinished.count) not finished
            """
    }

    /// The cases as a later `--diff` reads them.
    var records: [CaseRecord] {
        verdicts.cases.map { verified in
            CaseRecord(
                rule: plan.policy.rules[verified.reachabilityCase.rule].name,
                target: verified.reachabilityCase.target.text, place: place(of: verified.reachabilityCase),
                verdict: verified.verdict.rawValue,
                outcome: verified.result.outcome.word)
        }
    }

    func write(to output: ReportOutput) {
        guard var writer = format.makeWriter() else { return output.write(matrix) }
        writer.begin(heading, on: output)
        let encoder = VerifyEncoder(
            policy: plan.policy, results: ResultEncoder(prober: HostName.current),
            plan: plan, controls: verdicts.controls)
        for (index, verified) in verdicts.cases.enumerated() {
            writer.add(reportCase(verified, at: index, encoder), to: output)
        }
        writer.end(reportSummary, on: output)
    }

    private var matrix: String {
        guard !plan.usesPlaces else {
            let table = PlaceMatrix(verdicts.cases, unfinished: verdicts.unfinished).lines
            return (table.map { TerminalText.clean($0) } + ["", VerdictMatrix.legend, summary])
                .joined(separator: "\n") + "\n"
        }
        let table = VerdictMatrix(verdicts.cases, unfinished: verdicts.unfinished).lines.map { TerminalText.clean($0) }
        let head = ["from \(TerminalText.clean(HostName.current))", ""]
        return (head + table + ["", VerdictMatrix.legend, summary]).joined(separator: "\n") + "\n"
    }

    private var heading: ReportHeading {
        ReportHeading(
            name: "connectd verify \(plan.policy.file)", failureWord: "violation", total: plan.cases.count,
            detailNames: ["expect", "port", "labels"] + (plan.usesPlaces ? ["from"] : []), prober: HostName.current,
            startedAtNanoseconds: started.wall)
    }

    private var reportSummary: ReportSummary {
        var epilogue: String?
        if format == .text {
            let text = VerifyText(
                plan: plan, verdicts: verdicts, repeated: findings.repeated, palette: palette, isVerbose: isVerbose)
            epilogue = (text.lines + ["", summary]).joined(separator: "\n")
        }
        return ReportSummary(
            text: summary, epilogue: epilogue, unfinished: verdicts.unfinished.count,
            durationNanoseconds: Clock.now().since(started.monotonic))
    }

    private func reportCase(_ verified: VerifiedCase, at index: Int, _ encoder: VerifyEncoder) -> ReportCase {
        let tested = verified.reachabilityCase
        let rule = plan.policy.rules[tested.rule]
        let isPass = verified.verdict == .pass
        let labels = rule.labels.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        return ReportCase(
            index: index, suite: rule.name, name: plan.name(of: tested), target: tested.target.text,
            verdict: ReportVerdict(verified.verdict), outcome: verified.result.outcome.word,
            message: verified.judgment.reason ?? "\(verified.result.outcome.word), as expected",
            hint: isPass || verified.verdict == .error ? nil : verified.result.error?.hint,
            durationNanoseconds: verified.result.timings[.total],
            source: ReportLocation(file: plan.policy.file, line: rule.position.line),
            details: [rule.expectation?.text ?? "", tested.port?.text ?? "", labels]
                + (plan.usesPlaces ? [tested.place?.text ?? "here"] : []),
            content: format.content == .json ? encoder.object(verified, of: request(of: tested)) : [])
    }

    private func place(of tested: ReachabilityCase) -> String? {
        plan.policy.rules[tested.rule].from == nil ? nil : tested.place?.text ?? "here"
    }

    private func request(of tested: ReachabilityCase) -> CheckRequest {
        var request = CheckRequest(target: tested.target)
        let labels = plan.policy.rules[tested.rule].labels
        request.labels = labels.isEmpty ? nil : labels
        return request
    }
}

// What changed since an earlier run.
extension VerifyReport {
    func write(_ diff: VerificationDiff, to output: ReportOutput) {
        switch format {
        case .json:
            let objects = diff.changes.map { String(decoding: VerifyEncoder.object($0), as: UTF8.self) }
            output.write("[\(objects.joined(separator: ","))]\n")
        case .ndjson:
            for change in diff.changes { output.write(VerifyEncoder.object(change) + [UInt8(ascii: "\n")]) }
        case .markdown: output.write(markdown(diff))
        case .text, .csv, .junit, .tap, .github, .matrix, .nagios: output.write(text(diff))
        }
    }

    private func text(_ diff: VerificationDiff) -> String {
        let rules = diff.changes.map { ($0.after ?? $0.before)?.rule ?? "" }
        let width = min(rules.map(\.count).max() ?? 0, 48)
        let lines = zip(diff.changes, rules).map { change, rule in
            let word = painted(change)
            let target = (change.after ?? change.before)?.name ?? ""
            let states = [change.before?.state, change.after?.state].compactMap { $0 }.joined(separator: " -> ")
            return
                "\(word)  \(TerminalText.clean(rule).padded(to: width))  \(TerminalText.clean("\(target)  \(states)"))"
        }
        return (lines + (lines.isEmpty ? [] : [""]) + ["\(diff.summary)", summary]).joined(separator: "\n") + "\n"
    }

    private func painted(_ change: CaseChange) -> String {
        let word = change.word.padded(to: "changed".count)
        guard case .changed(let before, let after) = change, before.verdict != after.verdict else { return word }
        return after.verdict == Verdict.pass.rawValue ? palette.good(word) : palette.bad(word)
    }

    private func markdown(_ diff: VerificationDiff) -> String {
        let rows = diff.changes.map { change in
            let record = change.after ?? change.before
            let cells = [
                change.word, MarkdownReport.code(record?.rule ?? ""), MarkdownReport.code(record?.name ?? ""),
                MarkdownReport.code(change.before?.state ?? ""), MarkdownReport.code(change.after?.state ?? ""),
            ]
            return "| \(cells.joined(separator: " | ")) |\n"
        }
        let head = "## \(MarkdownReport.plain(heading.name))\n\n\(diff.summary)\n"
        guard !rows.isEmpty else { return head }
        return head + "\n| change | rule | target | before | after |\n| --- | --- | --- | --- | --- |\n" + rows.joined()
    }
}

extension ReportVerdict {
    fileprivate init(_ verdict: Verdict) {
        switch verdict {
        case .pass: self = .pass
        case .violation: self = .failure
        case .error: self = .error
        case .inconclusive: self = .inconclusive
        }
    }
}

extension VerifyPlan {
    /// Whether a rule has `from`.
    var usesPlaces: Bool { policy.rules.contains { $0.from != nil } }

    /// The target, with its place if the file uses places.
    func name(of tested: ReachabilityCase) -> String {
        usesPlaces ? "\(tested.target.text) from \(tested.place?.text ?? "here")" : tested.target.text
    }
}

extension CaseRecord {
    /// The target, with its place if its rule has `from`.
    fileprivate var name: String { place.map { "\(target) from \($0)" } ?? target }
}
