import CheckEngine
import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import SocketIO
import StrictJSON

/// Prints rounds as they end, and the summary. Each line is written at once, so that a pipe shows it.
struct PingOutput {
    let request: CheckRequest
    let format: PingFormat
    let isQuiet: Bool
    let hasTimestamps: Bool
    let palette: Palette
    private let text: PingText
    private let encoder = ResultEncoder(prober: HostName.current)
    private let started = Clock.now()
    private(set) var tally = PingTally()
    /// The round with the highest number so far.
    private var last: PingRound?

    private static let columns = [
        "round", "started_at", "target", "address", "outcome", "ok", "time_ms", "rtt_us", "syn_sent", "syn_retransmits",
        "error", "message",
    ]

    init(request: CheckRequest, format: PingFormat, isQuiet: Bool, hasTimestamps: Bool, palette: Palette) {
        self.request = request
        self.format = format
        self.isQuiet = isQuiet
        self.hasTimestamps = hasTimestamps
        self.palette = palette
        text = PingText(request: request, palette: palette)
        if format == .csv, !isQuiet { Output.bytes(Array(CSVReport.row(Self.columns).utf8)) }
    }

    mutating func add(_ round: PingRound) {
        tally.add(round, CheckVerdict(round.result, of: request))
        if round.number > last?.number ?? 0 { last = round }
        guard !isQuiet else { return }
        switch format {
        case .text: Output.line("\(timestamp)\(text.line(for: round))")
        case .ndjson: Output.bytes(line(for: round))
        case .csv: Output.bytes(Array(CSVReport.row(cells(for: round)).utf8))
        case .json: break
        }
    }

    /// The summary so far. Programs that read standard output do not expect it, so it goes to standard error for them.
    func showInterimSummary() {
        let lines = summary
        if format == .text { Output.line(lines) } else { Output.errorLine(lines) }
    }

    func end() {
        switch format {
        case .text: Output.line(summary)
        case .csv: Output.errorLine(summary)
        case .json:
            let result =
                last?.result ?? .notStarted(request, because: .cancelled, startedAtNanoseconds: Clock.wallNanoseconds())
            Output.bytes(encoder.line(result.withRounds(tally.statistics), of: request))
        case .ndjson: Output.bytes(statisticsLine)
        }
    }

    /// On a terminal, `^C` precedes it, so it begins with an empty line.
    private var summary: String {
        let lines = text.summary(tally, afterNanoseconds: Clock.now().since(started))
        return ([""] + lines).joined(separator: "\n")
    }

    /// `[1767225600.123456] `; empty without `-D`.
    private var timestamp: String {
        guard hasTimestamps else { return "" }
        let microseconds = Clock.wallNanoseconds() / 1000
        let fraction = String(microseconds % 1_000_000)
        return "[\(microseconds / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)] "
    }

    /// The result with the number of its round.
    private func line(for round: PingRound) -> [UInt8] {
        // The result is an object, which continues this one.
        Array("{\"round\":\(round.number),".utf8) + encoder.line(round.result, of: request).dropFirst()
    }

    /// The last line of NDJSON.
    private var statisticsLine: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("target")
        writer.string(request.target.text)
        writer.member("rounds")
        RoundsEncoder.write(tally.statistics, to: &writer)
        writer.endObject()
        return writer.finishLine()
    }

    /// The cell `ok`. A round without an answer must not look like a success.
    private func verdict(on result: CheckResult) -> String {
        switch CheckVerdict(result, of: request) {
        case .ok: "true"
        case .failed: "false"
        case .unverified: "not verified"
        }
    }

    private func cells(for round: PingRound) -> [String] {
        let result = round.result
        let finished = FinishedRound(result, start: round.start, end: round.end)
        return [
            String(round.number), Timestamp.text(nanosecondsSince1970: result.startedAtNanoseconds),
            request.target.text, finished.address?.text ?? "", result.outcome.word, verdict(on: result),
            MillisecondText.exact(finished.durationNanoseconds), finished.rttMicroseconds.map(String.init) ?? "",
            String(finished.synSent), String(finished.synRetransmits), result.error?.name ?? "",
            result.error?.message ?? "",
        ]
    }
}
