import ArgumentParser
import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes

/// `connectd ping`: connects repeatedly, with statistics.
struct PingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping",
        abstract: "Connect to a target repeatedly, and show statistics.",
        discussion: """
            Each round is one check, with its own name lookup. It prints one line when it ends. Rounds start at fixed \
            times: a slow round does not delay the next one.

            Ctrl-C prints the summary and exits. Ctrl-\\ prints it and continues.

            A lost SYN is loss, not a slow connect. Times do not include rounds whose SYN was sent again; the summary \
            shows them separately. The RTT is the kernel's (TCP_INFO).

            A UDP target is not verified without a question that it must answer: use --preset, or --send and --match.

            Exit status: 0 if any round connected, 1 if none did, 2 on wrong usage or if the output cannot be written.

            Examples:
              connectd ping db.internal:5432
              connectd ping -c 10 -i 0.2 10.0.0.7:443
              connectd ping -D -W 1 tls://web.internal:443
              connectd ping --preset dns -c 5 udp://10.0.0.2:53
              connectd ping -c 100 -i 0.1 -q --json db.internal:5432
              connectd ping --format ndjson db.internal:5432 >rounds.ndjson
            """)

    @Argument(
        help: ArgumentHelp(
            "The target: tcp://host:port, host:port, tls://host:port, udp://host:port, quic://host:port, unix:/path.",
            valueName: "target"))
    var targets: [String] = []

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("Stop after this many rounds (default: no limit).", valueName: "number"))
    var count: Int?

    @Option(
        name: [.customShort("i"), .long],
        help: ArgumentHelp(
            "The time from the start of a round to the start of the next, in seconds: 0.01 … 3600 (default: 1).",
            valueName: "seconds"),
        transform: { try Duration(parsingSeconds: $0, in: 10...3_600_000) })
    var interval = Duration(milliseconds: 1000)

    @Option(
        name: [.customShort("W"), .long],
        help: ArgumentHelp(
            "The timeout of each round, in seconds: 0.001 … 60 (default: 5).", valueName: "seconds"),
        transform: { try Duration(parsingSeconds: $0, in: 1...60_000) })
    var timeout = Duration(milliseconds: 5000)

    @Option(
        name: [.customShort("w"), .long],
        help: ArgumentHelp(
            "Stop after this time, in seconds; rounds that have not ended do not count.", valueName: "seconds"),
        transform: { try Duration(parsingSeconds: $0, in: 1...86_400_000) })
    var deadline: Duration?

    @Flag(name: .shortAndLong, help: "Print only the summary.")
    var quiet = false

    @Flag(
        name: [.customShort("D"), .long],
        help: "Print a time stamp before each line: seconds since 1970, as ping -D does.")
    var timestamps = false

    @Option(
        help: ArgumentHelp(
            """
            The format: text, json (one object at the end: the last round with the statistics), ndjson or csv (a line for \
            each round; default: text).
            """, valueName: "format"))
    var format: PingFormat?

    @Flag(help: "Like --format json.")
    var json = false

    @Option(
        help: ArgumentHelp(
            """
            The outcome that makes a round ok, such as refused; several with commas, or !OUTCOME (default: connected; \
            for UDP: answered).
            """, valueName: "outcome"),
        completion: .list(Outcome.all.map(\.word)), transform: OutcomeExpectation.parse)
    var expect: Expectation?

    @OptionGroup var connection: ConnectionArguments
    @OptionGroup var hold: HoldArguments

    @Option(
        help: "Apply the policy of this configuration file; without it no policy applies.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @OptionGroup(title: "TLS")
    var tls: TLSArguments

    @OptionGroup(title: "Dialog (steps run in the order of the options)")
    var dialog: DialogArguments

    @OptionGroup var color: ColorOption

    func validate() throws {
        if let count, count < 1 { throw ValidationError("-c must be at least 1, got \(count)") }
        if json, let format, format != .json {
            throw ValidationError("use either --json or --format \(format.rawValue), not both")
        }
    }

    func run() throws {
        let source = try PingTarget.source(targets)
        let context = try CallerContext.read(config: config, tls: tls)
        let template = try RequestTemplate(
            timeout: timeout, connection: connection, rounds: RoundsArguments(hold: hold), tls: tls, dialog: dialog,
            expectation: expect, context: context)
        let request: CheckRequest
        do throws(RequestProblems) {
            request = try template.check(of: source).request
        } catch {
            throw ValidationError(error.details.joined(separator: "\n"))
        }
        try tls.validate(hasTLS: request.tls != nil)
        let chosen = json ? .json : format ?? .text
        var output = PingOutput(
            request: request, format: chosen, isQuiet: quiet, hasTimestamps: timestamps,
            palette: color.palette(for: STDOUT_FILENO))
        let session = PingSession(
            context: context, count: count, interval: interval, deadline: deadline,
            makeCheck: { () throws(RequestProblems) in try template.check(of: source) })
        try session.run { event in
            switch event {
            case .finished(let round): output.add(round)
            case .summaryRequested: output.showInterimSummary()
            }
        }
        output.end()
        throw ExitCode(output.tally.okCount > 0 ? 0 : 1)
    }
}

/// The target of the command line.
enum PingTarget {
    /// - Throws: `ValidationError` unless there is exactly one target.
    static func source(_ targets: [String]) throws -> TargetList.Source {
        guard let target = targets.first else {
            throw ValidationError("no target given: name one, such as host:443")
        }
        if targets.count > 1 {
            let advice =
                targets.count == 2 && UInt16(targets[1]) != nil
                ? "write the port in the target, as in \(TerminalText.excerpt(target)):\(targets[1])"
                : "use connectd check --count for several targets"
            throw ValidationError("ping takes one target, got \(targets.count): \(advice)")
        }
        return TargetList.Source(text: target, isRequest: false, isPortMissing: false, expectation: nil)
    }
}

/// The formats of `ping`.
enum PingFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json, ndjson, csv
}

extension Duration {
    /// Parses a time in seconds, such as `0.2` or `1`, or with a unit, such as `200ms`.
    /// - Parameter range: In milliseconds.
    init(parsingSeconds text: String, in range: ClosedRange<Int>) throws {
        let bounds = "\(Self.seconds(range.lowerBound)) to \(Self.seconds(range.upperBound)) seconds"
        guard let time = Self.milliseconds(ofSeconds: text) ?? (try? Duration(parsingWait: text).milliseconds),
            range.contains(time)
        else {
            throw ValidationError(
                "\"\(TerminalText.excerpt(text))\" is not a time from \(bounds): write seconds such as 0.5, or 500ms")
        }
        self.init(milliseconds: time)
    }

    /// nil unless it is a decimal number; what is below a millisecond is rounded up.
    private static func milliseconds(ofSeconds text: String) -> Int? {
        guard text.utf8.count <= 16, text.utf8.allSatisfy({ $0 == 0x2E || (0x30...0x39).contains($0) }),
            let seconds = Double(text)
        else { return nil }
        return Int((seconds * 1000).rounded(.up))
    }

    private static func seconds(_ milliseconds: Int) -> String {
        milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000)" : "\(Double(milliseconds) / 1000)"
    }
}
