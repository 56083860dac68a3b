import ArgumentParser
import CLinux
import CheckModel
import ConnectAPI
import ErrorCatalogue
import Fleet
import NetworkTypes
import SocketIO
import StrictJSON

/// Prints the results of `check --from`, as text or as the JSON of a batch with `from`.
struct PlacedCheckRun {
    let session: PlacedCheckSession
    /// text, json or ndjson.
    let format: ReportFormat
    let output: ReportOutput
    let palette: Palette

    /// Runs the checks.
    /// - Returns: the exit status of `check`.
    func status() throws -> Int32 {
        // `validate` allows only formats that have a writer.
        var writer = format.makeWriter() ?? LineReport()
        let plan = session.plan
        writer.begin(
            ReportHeading(
                name: "connectd check", hasSuites: false, total: plan.count, detailNames: [], prober: HostName.current,
                startedAtNanoseconds: Clock.wallNanoseconds()), on: output)
        let text = PlacedCheckText(palette: palette, widestTarget: plan.traits.widestTarget)
        let begin = Clock.now()
        var tally = PlacedTally()
        let reason = try session.run { finished in
            guard let document = (try? JSONValue.parse(finished.document))?.placedResult else { return }
            let request = plan.request(at: finished.index)
            tally.add(document, of: request)
            let content = format == .text ? Array(text.line(document, of: request).utf8) : finished.document
            writer.add(
                ReportCase(
                    index: finished.index, suite: "", name: "", target: "", verdict: .pass, outcome: "", message: "",
                    content: content), to: output)
            output.flush()
        }
        let elapsed = Clock.now().since(begin)
        let summary = tally.summary(of: plan.count, afterNanoseconds: elapsed)
        writer.end(
            ReportSummary(
                text: summary, epilogue: format == .text && plan.count > 1 ? "\n" + summary : nil,
                unfinished: plan.count - tally.count, durationNanoseconds: elapsed), on: output)
        output.finish()
        switch reason {
        case .failed(let text):
            Output.errorLine("connectd: \(TerminalText.clean(text))")
            return 1
        case .interrupted(let number): return 128 + number
        case .complete: return tally.ok == plan.count && plan.skipped.failures == 0 ? 0 : 1
        }
    }
}

/// What the text and the summary need of a result.
struct PlacedResult {
    let place: String?
    let finding: SurveyFinding
}

extension JSONValue {
    fileprivate var placedResult: PlacedResult? {
        guard case .object(let object) = self else { return nil }
        var place: String?
        if case .string(let name)? = object["place"] { place = name }
        return PlacedResult(place: place, finding: SurveyFinding(object))
    }
}

/// Counts of results by outcome.
struct PlacedTally {
    private(set) var count = 0
    private(set) var ok = 0
    private var failures: [String: Int] = [:]

    mutating func add(_ result: PlacedResult, of request: CheckRequest) {
        count += 1
        if result.finding.isOK, !result.finding.isUnverified(request) {
            ok += 1
        } else {
            failures[result.finding.outcome, default: 0] += 1
        }
    }

    func summary(of total: Int, afterNanoseconds nanoseconds: Int64) -> String {
        let list = failures.sorted { $0.key < $1.key }.map { "\($0.value) \(TerminalText.clean($0.key))" }
        let failed = count - ok
        let detail = failed > 0 ? " (\(list.joined(separator: ", ")))" : ""
        let rest = count < total ? ", \(total - count) not finished" : ""
        return "\(total) \(total == 1 ? "target" : "targets") in \(TimeText.seconds(nanoseconds)): "
            + "\(ok) ok, \(failed) failed\(detail)\(rest)"
    }
}

/// Formats a result as a line: verdict, target, place, outcome, time and error.
struct PlacedCheckText {
    let palette: Palette
    let widestTarget: Int

    func line(_ result: PlacedResult, of request: CheckRequest) -> String {
        let target = TerminalText.clean(request.target.text).padded(to: min(widestTarget, 48))
        let place = (result.place ?? "-").padded(to: 8)
        return SurveyText.line(result.finding, of: request, naming: "\(target)  \(place)", in: palette)
    }
}
