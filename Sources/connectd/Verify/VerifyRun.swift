import CheckEngine
import CheckModel
import NetworkTypes
import Reachability
import SocketIO

/// One run of `connectd verify`: runs the checks, shows the progress, and prints one report.
struct VerifyRun {
    enum Kind {
        case report, learning
        /// What changed since an earlier run.
        case comparison([CaseRecord])
    }

    let plan: VerifyPlan
    let context: CheckContext
    let options: BatchOptions
    let kind: Kind
    let format: ReportFormat
    /// nil is standard output.
    let outputFile: String?
    let palette: Palette
    let isVerbose: Bool
    /// The interval of progress lines on standard error; nil for none.
    let statsEvery: Duration?
    let repeatsTimeouts: Bool

    /// The interval of the progress line on a terminal, in milliseconds.
    private static let terminalTick = 200

    /// Runs the checks.
    /// - Returns: the exit status.
    func status() throws -> Int32 {
        // Opened first: a file that cannot be written is known before the checks run.
        let output = outputFile.map { ReportOutput.file($0, isStreamed: false) } ?? .standardOutput()
        let started = (monotonic: Clock.now(), wall: Clock.wallNanoseconds())
        let findings = try findings(since: started.monotonic)
        let networks = LocalAddresses.networks()
        let verdicts = VerifyVerdicts(plan, findings, networks: networks)
        let report = VerifyReport(
            plan: plan, verdicts: verdicts, findings: findings, format: format, palette: palette, isVerbose: isVerbose,
            started: started)
        var summary = report.summary
        let status: Int32
        switch kind {
        case .report:
            report.write(to: output)
            status = verdicts.tally.exitStatus
        case .learning:
            let learned = learned(verdicts, networks)
            output.write(learned.text(origin: HostName.current))
            summary =
                "learned \(plan.cases.count - learned.unknownCount - verdicts.unfinished.count) of \(plan.cases.count) cases"
            status = learned.unknownCount == 0 && verdicts.unfinished.isEmpty ? 0 : 3
        case .comparison(let before):
            report.write(VerificationDiff(from: before, to: report.records), to: output)
            status = verdicts.tally.exitStatus
        }
        output.finish()
        if outputFile != nil || isLearning || !format.endsWithSummary { Output.errorLine("connectd: \(summary)") }
        return findings.signal.map { 128 + $0 } ?? status
    }

    private func findings(since started: MonotonicTime) throws -> VerifySession.Findings {
        var status = StatusLine(environment: Environment.all)
        var tally = CheckTally(total: plan.cases.count)
        var progress = Progress(
            started: started, concurrency: options.concurrency, rate: options.ratePerSecond,
            timeoutMilliseconds: plan.longestTimeout, retryPauseMilliseconds: options.retryPauseMilliseconds)
        var nextStats = statsEvery.map { Clock.now().advanced(byMilliseconds: $0.milliseconds) }
        let session = VerifySession(
            plan: plan, context: context, options: options, neededControls: neededControls,
            repeatsTimeouts: repeatsTimeouts,
            tickMilliseconds: status.isUsable ? Self.terminalTick : statsEvery?.milliseconds)
        let findings = try session.run { event in
            switch event {
            case .finished(let result, let request):
                tally.add(result, CheckVerdict(result, of: request))
                progress.finishOne()
            case .willRepeat: progress.deferOne()
            case .repeated: progress.finishOne()
            case .side(let side): progress.show(side)
            case .repeating(let round, let count): progress.beginRepetition(round: round, count: count)
            case .tick:
                let now = Clock.now()
                let text = progress.text(tally, at: now)
                status.show(text)
                if let due = nextStats, let statsEvery, now >= due {
                    status.clear()
                    Output.errorLine(text)
                    nextStats = due.advanced(byMilliseconds: statsEvery.milliseconds)
                }
            }
        }
        status.clear()
        return findings
    }

    /// Only `blocked` depends on a control.
    private var neededControls: Set<Int> {
        var needed: Set<Int> = []
        for (index, rule) in plan.policy.rules.enumerated() {
            guard isLearning || rule.expectation == .blocked else { continue }
            needed.formUnion(plan.controls(ofRule: index))
        }
        return needed
    }

    private var isLearning: Bool {
        if case .learning = kind { true } else { false }
    }

    private func learned(_ verdicts: VerifyVerdicts, _ networks: [AddressRange]) -> LearnedPolicy {
        LearnedPolicy(plan.policy, verdicts.cases) { rule, expectation in
            let control = plan.controls(ofRule: rule).first.map { verdicts.controls[$0] } ?? .none
            return VerifyVerdicts.judge(of: plan.policy.rules[rule], expectation, control: control, networks: networks)
        }
    }
}

extension ReportFormat {
    /// Whether a report of this format contains the summary line.
    fileprivate var endsWithSummary: Bool {
        switch self {
        case .text, .matrix, .markdown, .github: true
        case .json, .ndjson, .csv, .junit, .tap, .nagios: false
        }
    }
}
