import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import NetworkTypes
import SocketIO

/// One run of `connectd check`: starts the checks, prints the results in one format, and shows the progress.
struct CheckRun {
    enum Format {
        case text, json, ndjson
        case nagios(NagiosLimits)

        /// False for Nagios, which shows standard error as well as standard output.
        var showsProgress: Bool {
            if case .nagios = self { false } else { true }
        }
    }

    let checks: [PreparedCheck]
    let context: CheckContext
    let options: BatchOptions
    let format: Format
    let palette: Palette
    let isVerbose: Bool
    let statsEvery: Duration?

    /// The interval of the progress line on a terminal, in milliseconds.
    private static let terminalTick = 200

    /// Runs the checks.
    /// - Returns: the exit status.
    func status() throws -> Int32 {
        var output = CheckOutput(
            checks: checks, palette: palette, isVerbose: isVerbose, repeatsTimeouts: options.timeoutRetries > 0)
        var status = StatusLine(environment: Environment.all)
        var progress = Progress(
            started: Clock.now(), concurrency: options.concurrency, rate: options.ratePerSecond,
            timeoutMilliseconds: checks.map(\.request.timeoutMilliseconds).max() ?? 0,
            retryPauseMilliseconds: options.retryPauseMilliseconds)
        var results = [CheckResult?](repeating: nil, count: checks.count)
        var earlier: [Int: CheckResult] = [:]
        var nextStats = statsEvery.map { Clock.now().advanced(byMilliseconds: $0.milliseconds) }
        let session = CheckSession(
            checks: checks, context: context, options: options,
            tickMilliseconds: tickMilliseconds(status))
        let ending = try session.run { event in
            switch event {
            case .finished(let index, let result):
                results[index] = result
                progress.finishOne()
                earlier[index] = nil
                report(result, at: index, in: &output, &status)
            case .willRepeat(let index, let result):
                earlier[index] = result
                progress.deferOne()
            case .repeating(let round, let count):
                progress.beginRepetition(round: round, count: count)
            case .tick:
                let now = Clock.now()
                let text = progress.text(output.tally, at: now)
                if format.showsProgress { status.show(text) }
                if let due = nextStats, let statsEvery, now >= due {
                    status.clear()
                    Output.errorLine(text)
                    nextStats = due.advanced(byMilliseconds: statsEvery.milliseconds)
                }
            }
        }
        status.clear()
        var signal: Int32?
        if case .interrupted(let number) = ending {
            signal = number
            for (index, result) in earlier.sorted(by: { $0.key < $1.key }) {
                results[index] = result
                report(result, at: index, in: &output, &status)
            }
        }
        return finish(results, output, signal: signal)
    }

    private func tickMilliseconds(_ status: StatusLine) -> Int? {
        if status.isUsable, format.showsProgress { return Self.terminalTick }
        return statsEvery.map(\.milliseconds)
    }

    private func report(
        _ result: CheckResult, at index: Int, in output: inout CheckOutput, _ status: inout StatusLine
    ) {
        let text = output.take(result, at: index)
        switch format {
        case .text:
            status.clear()
            Output.line(text)
        case .ndjson:
            status.clear()
            Output.bytes(encoder.line(result, of: checks[index].request))
        case .json, .nagios: break
        }
    }

    private func finish(_ results: [CheckResult?], _ output: CheckOutput, signal: Int32?) -> Int32 {
        let known = results.indices.filter { results[$0] != nil }
        let unfinished = signal == nil ? nil : results.indices.filter { results[$0] == nil }
        let requests = known.map { checks[$0].request }
        switch format {
        case .text:
            if let epilogue = output.epilogue(unfinished: unfinished) { Output.line(epilogue) }
        case .json:
            Output.bytes(encoder.array(known.compactMap { results[$0] }, of: requests))
        case .ndjson: break
        case .nagios(let limits):
            return nagiosStatus(known.compactMap { results[$0] }, requests, limits, unfinished)
        }
        if let signal {
            if case .text = format {
            } else {
                Output.errorLine("connectd: \(output.summary(isInterrupted: true))")
            }
            return 128 + signal
        }
        return output.tally.ok == checks.count ? 0 : 1
    }

    private func nagiosStatus(
        _ results: [CheckResult], _ requests: [CheckRequest], _ limits: NagiosLimits, _ unfinished: [Int]?
    ) -> Int32 {
        if let unfinished {
            Output.line(
                NagiosReport.line(.unknown, "interrupted, \(unfinished.count) of \(checks.count) targets not finished"))
            return NagiosState.unknown.rawValue
        }
        let report = NagiosReport(results, of: requests, limits: limits)
        Output.line(report.text)
        return report.state.rawValue
    }

    private var encoder: ResultEncoder { ResultEncoder(prober: HostName.current) }
}
