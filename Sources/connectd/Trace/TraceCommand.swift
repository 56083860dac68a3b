public import ArgumentParser
import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import Dialog
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// `connectd trace`: shows the path to a target.
struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Show the path to a target, hop by hop.",
        discussion: """
            Connects with rising TTLs, over TCP or UDP, so that each router on the path answers once. It needs no \
            privilege. A hop without an answer is shown as *. That says nothing about loss: many routers answer no \
            probe, or only a few in a second.

            The probes of all TTLs are sent at once, each from its own port. If the answers contradict each other, \
            there is more than one path. The table then begins again, and follows one path from one port.

            A TCP target sees short connections, which end with a reset. Datagrams are empty, unless --preset sends a \
            question. A few larger datagrams of zeros find the path MTU, also for TCP targets.

            Exit status: 0 if the target answered, even with a refusal; 1 if it did not; 2 on wrong usage or if the \
            output cannot be written; 130 after Ctrl-C.

            Examples:
              connectd trace db.internal:5432
              connectd trace --flow fixed --max-ttl 12 tcp://web.internal:https
              connectd trace --preset dns udp://10.0.0.2:domain
              connectd trace --json db.internal:5432 | jq .trace.last_answer_from
            """)

    @Argument(help: "The target: tcp://host:port, host:port, tls://host:port or udp://host:port.")
    var target: String

    @Option(
        help: """
            How probes choose their source ports: varied (all TTLs at once, each from its own port) or fixed (one TTL \
            after another from one port).
            """)
    var flow = TraceOptions.Flow.varied

    @Option(help: ArgumentHelp("The largest TTL (1 … 255).", valueName: "number"))
    var maxTtl = TraceOptions.defaultMaxTTL

    @Option(
        name: [.long, .customShort("t")],
        help: "The timeout of the trace: 500ms, 5s, 1m (1ms … 60s; default: 5s).", transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 5000)

    @Option(
        help: ArgumentHelp(
            """
            UDP only: send a request that every server of this protocol answers: dns, ntp, stun, snmp, ike or quic.
            """, valueName: "protocol"))
    var preset: UDPPreset?

    @OptionGroup var connection: ConnectionArguments

    @Flag(help: "Also show the names of the hops, from reverse DNS.")
    var names = false

    @Option(
        help: "Apply the policy of this configuration file; without it no policy applies.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "Print one JSON document instead of the table.")
    var json = false

    @OptionGroup var color: ColorOption

    func validate() throws {
        guard TraceOptions.maxTTLRange.contains(maxTtl) else {
            throw ValidationError("--max-ttl must be from 1 to 255, got \(maxTtl)")
        }
        if json, names { throw ValidationError("--names excludes --json, whose document has only addresses") }
    }

    func run() throws {
        let check = try preparedCheck()
        let target = check.request.target
        let started = Clock.wallNanoseconds()
        let document = TraceDocument(target: target, prober: HostName.current, startedAtNanoseconds: started)
        var table = TraceTable(target: target, maxTTL: maxTtl, showsNames: names)
        let session = TraceSession(check: check, context: try CallerContext.read(config: config))
        let (answer, signal) = try session.run { event in
            if !json { for line in table.lines(for: event) { Output.line(line) } }
        }
        let status = finish(answer, document)
        if let signal {
            Interrupts.end(by: signal)
            throw ExitCode(128 + signal)
        }
        throw ExitCode(status)
    }

    /// Prints the document or the sentence.
    /// - Returns: the exit status.
    private func finish(_ answer: TraceAnswer, _ document: TraceDocument) -> Int32 {
        switch answer {
        case .traced(let trace, let endpoint):
            let sentence = TraceText.sentence(trace)
            if json {
                Output.bytes(document.line(trace, to: endpoint, sentence: sentence))
            } else {
                let palette = color.palette(for: STDOUT_FILENO)
                Output.line("\n" + (trace.reached ? palette.good(sentence) : palette.bad(sentence)))
            }
            return trace.reached ? 0 : 1
        case .unresolved(let result):
            fail(result.error, result.error.map { "\($0.message) (\($0.name))." } ?? "No address was found.", document)
        case .denied: fail(nil, "The policy denies this target.", document)
        case .notStarted: fail(nil, "The trace was interrupted before it began.", document)
        }
        return 1
    }

    private func fail(_ error: ErrorReport?, _ sentence: String, _ document: TraceDocument) {
        if json {
            Output.bytes(document.line(error, sentence: sentence))
        } else {
            Output.errorLine("connectd: \(TerminalText.clean(target)): \(sentence)")
        }
    }

    private func preparedCheck() throws -> PreparedCheck {
        let target = try Target(argument: self.target)
        if case .unix = target.peer {
            throw ValidationError("a UNIX-domain socket has no path through a network: use a TCP or UDP target")
        }
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout.milliseconds)
        connection.apply(to: &request)
        request.trace = TraceOptions(
            when: .always, maxTTL: maxTtl, flow: flow, timeoutMilliseconds: timeout.milliseconds)
        request.preset = preset ?? request.preset
        if let flaw = PresetUsage.flaw(of: request) { throw ValidationError(flaw) }
        return PreparedCheck(request: request)
    }
}

extension TraceOptions.Flow: ExpressibleByArgument {}
