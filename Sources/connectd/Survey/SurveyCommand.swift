import ArgumentParser
import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import ErrorCatalogue
import Fleet
import NetworkTypes
import SocketIO
import StrictJSON

/// `connectd survey`: one check from many places, and what the results say together.
struct SurveyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "survey",
        abstract: "Check a target from many places at once, and say what the results mean together.",
        discussion: """
            Prints a line for each place as soon as its result is known, then one sentence. Other places are those of \
            the fleet in the file of --config; this command asks them and answers none. Each place judges the check by \
            its own policy. A place that does not answer in time never counts as the target's failure.

            Exit status: 0 if the target is up, 1 if it is down or only some places reach it, 2 on wrong usage, 3 if \
            there is no verdict or no connection to the fleet, 130 after Ctrl-C.

            Examples:
              connectd survey db.internal:5432 --config connectd.yaml --from here,fra1
              connectd survey tls://web.internal:443 --config connectd.yaml --from region=eu --from region=us:2
              connectd survey web.internal:443 --config connectd.yaml --from region=us --quorum 2 --json
            """)

    @Argument(
        help: "The target: tcp://host:port, host:port, tls://host:port, udp://host:port, quic://host:port, unix:/path."
    )
    var target: String

    @Option(
        help: ArgumentHelp(
            """
            Where to check, with commas or repeated: here, a place, or labels such as region=us. region=us&tier=edge \
            needs both labels, region=us:2 uses at most two places (default: here).
            """, valueName: "places"))
    var from: [String] = []

    @Option(help: "How many results must count for a verdict (1 … 1000).")
    var quorum = 1

    @Option(
        help: ArgumentHelp(
            "How much longer than its check a place may take to answer (0s … 60s).", valueName: "time"),
        transform: Duration.init(parsingWait:))
    var grace = Duration(milliseconds: SurveyRequest.defaultGraceMilliseconds)

    @Option(
        name: [.long, .customShort("t")], help: "The timeout of the check: 500ms, 5s, 1m (1ms … 60s; default: 5s).",
        transform: Duration.init(parsing:))
    var timeout: Duration?

    @Option(
        help: ArgumentHelp(
            "The outcome that makes a result ok, such as refused; several with commas, or !OUTCOME.",
            valueName: "outcome"),
        completion: .list(Outcome.all.map(\.word)), transform: OutcomeExpectation.parse)
    var expect: Expectation?

    @OptionGroup var connection: ConnectionArguments
    @OptionGroup var hold: HoldArguments
    @OptionGroup var rounds: CountArguments

    @Flag(help: "Try every address of a name; each must connect.")
    var all = false

    @OptionGroup var trace: TraceArguments

    @OptionGroup(title: "TLS")
    var tls: TLSArguments

    @OptionGroup(title: "Dialog (steps run in the order of the options)")
    var dialog: DialogArguments

    @Option(
        help: "The configuration file with the fleet, and with the policy for checks from here.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "Print JSON, as POST /v1/surveys does.")
    var json = false

    @OptionGroup var color: ColorOption

    func validate() throws {
        guard (1...VantageSelector.maximumPlaces).contains(quorum) else {
            throw ValidationError("--quorum must be from 1 to \(VantageSelector.maximumPlaces), got \(quorum)")
        }
        guard SurveyRequest.graceRange.contains(grace.milliseconds) else {
            throw ValidationError("--grace must be from 0s to 60s")
        }
    }

    func run() throws {
        let selectors = try VantageArguments.selectors(of: from)
        let caller = try CallerContext.readWithFleet(config: config, tls: tls)
        let isRemote = selectors.contains { $0 != .here }
        try VantageArguments.validate(isRemote: isRemote, fleet: caller.fleet, tls: tls)
        let survey = try survey(from: selectors.isEmpty ? [.here] : selectors, caller.context)
        var text = SurveyText(palette: color.palette(for: STDOUT_FILENO), request: survey.check.request)
        let session = SurveyCommandSession(
            survey: survey, context: caller.context, fleet: isRemote ? caller.fleet : nil)
        let outcome = try session.run { event in
            guard !json else { return }
            switch event {
            case .planned(let plan): text.align(plan)
            case .entry(let entry): Output.line(text.line(entry))
            }
        }
        switch outcome {
        case .interrupted(let number):
            Interrupts.end(by: number)
            throw ExitCode(128 + number)
        case .failed(let failure):
            Output.errorLine("connectd: \(TerminalText.clean(failure))")
            throw ExitCode(3)
        case .finished(let conclusion, let entries):
            if json {
                Output.bytes(SurveyEncoder.document(conclusion, entries))
            } else {
                Output.line(text.end(conclusion))
            }
            throw ExitCode(Self.status(of: conclusion.verdict))
        }
    }

    private static func status(of verdict: SurveyVerdict) -> Int32 {
        switch verdict.conclusion {
        case .up: 0
        case .down, .partial: 1
        case .undetermined: 3
        }
    }

    private func survey(from selectors: [VantageSelector], _ context: CheckContext) throws -> SurveyRequest {
        let template = try RequestTemplate(
            timeout: timeout, connection: connection, rounds: RoundsArguments(hold: hold, count: rounds),
            triesAllAddresses: all, tls: tls, dialog: dialog, expectation: expect, trace: trace.options,
            context: context)
        let check: PreparedCheck
        do throws(RequestProblems) {
            check = try template.check(ofTarget: target)
        } catch {
            throw ValidationError(error.details.joined(separator: "\n"))
        }
        try tls.validate(hasTLS: check.request.tls != nil)
        var survey = SurveyRequest(check: check, body: template.body(ofTarget: target), from: selectors)
        survey.quorum = quorum
        survey.graceMilliseconds = grace.milliseconds
        return survey
    }
}
