import ArgumentParser
import CLinux
import CheckEngine
import CheckModel
import ConnectAPI
import Diagnosis
import NetworkTypes
import SocketIO

/// `connectd diagnose`: what is wrong with a target, in one sentence, with the evidence.
struct DiagnoseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diagnose",
        abstract: "Say what is wrong with a target, in one sentence, with the evidence.",
        discussion: """
            It checks the target, and then runs experiments that distinguish the possible causes: other addresses, other \
            ports of the same host, each name server, smaller packets, other TLS versions. All of them are plain \
            connects. A port that answers proves that the host is up, so up to four other ports are tried if the target \
            is silent: 22, 80, 443 and 9.

            The answer begins with one sentence. The findings are the observations that it rests on, and "next" has \
            commands that narrow the causes down. If two causes look the same from here, the sentence names both.

            Exit status: 0 if nothing is wrong, 1 if something is, 2 on wrong usage, 130 after Ctrl-C.

            Examples:
              connectd diagnose db.internal:5432
              connectd diagnose tls://web.internal:443
              connectd diagnose db.internal:5432 --control gateway.internal:443
              connectd diagnose --json db.internal:5432
            """)

    @Argument(
        help: "The target: tcp://host:port, host:port, tls://host:port, udp://host:port, quic://host:port, unix:/path."
    )
    var target: String

    @Option(
        name: [.long, .customShort("t")], help: "The time for the whole diagnosis: 500ms, 5s, 1m (1ms … 60s).",
        transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 20_000)

    @Option(
        help: ArgumentHelp(
            "A target that should work from here. If it fails too, the cause is near.", valueName: "target"))
    var control: String?

    @Flag(help: "Print JSON, as POST /v1/diagnoses does.")
    var json = false

    @OptionGroup var connection: ConnectionArguments

    @OptionGroup(title: "TLS")
    var tls: TLSArguments

    @Option(
        help: "Apply the policy of this configuration file; without it no policy applies.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @OptionGroup var color: ColorOption

    func run() throws {
        let context = try CallerContext.read(config: config, tls: tls)
        let request = DiagnosisRequest(
            check: try check(of: target, context), control: try control.map { try plainCheck(of: $0) },
            timeoutMilliseconds: timeout.milliseconds)
        switch try DiagnoseSession(request: request, context: context).run() {
        case .interrupted(let number):
            Interrupts.end(by: number)
            throw ExitCode(128 + number)
        case .answered(.notRun(let answer)):
            let isDenied = if case .denied = answer { true } else { false }
            Output.errorLine(
                isDenied
                    ? "connectd: the policy does not allow \(TerminalText.clean(target))"
                    : "connectd: the diagnosis did not run")
            throw ExitCode(1)
        case .answered(.finished(let record, let report)):
            if json {
                Output.bytes(DiagnosisEncoder(prober: HostName.current).line(report, of: record))
            } else {
                Output.line(DiagnoseText(palette: color.palette(for: STDOUT_FILENO)).text(report))
            }
            throw ExitCode(report.verdict == .ok ? 0 : 1)
        }
    }

    private func check(of text: String, _ context: CheckContext) throws -> PreparedCheck {
        var request = CheckRequest(target: try Target(argument: text))
        connection.apply(to: &request)
        if tls.isGiven {
            guard case .tcp = request.target.peer else {
                throw ValidationError("the TLS options need a TCP target, got \(TerminalText.clean(text))")
            }
            request.tls = tls.options
        }
        return PreparedCheck(request: request)
    }

    private func plainCheck(of text: String) throws -> PreparedCheck {
        PreparedCheck(request: CheckRequest(target: try Target(argument: text)))
    }
}

/// Runs one diagnosis on one worker, without a service.
struct DiagnoseSession {
    enum Outcome {
        case answered(DiagnosisAnswer)
        case interrupted(Int32)
    }

    let request: DiagnosisRequest
    let context: CheckContext

    /// The most checks at once: those of one diagnosis.
    private static let concurrency = 16

    func run() throws -> Outcome {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: Self.concurrency, queueLimit: Self.concurrency))
        let events = try BlockingQueue<DiagnosisAnswer>()
        var interrupts = Interrupts()
        let threads = try pool.start()
        let task = Task(executorPreference: pool.workers[0].reactor.thread) { [request, context] in
            events.append(await DiagnosisRun(pool, worker: 0, isBalanced: false, in: context).run(request))
        }
        let outcome = wait(for: events, interrupts)
        task.cancel()
        threads.stopAndJoin()
        interrupts.restore()
        return outcome
    }

    private func wait(
        for events: BlockingQueue<DiagnosisAnswer>, _ interrupts: borrowing Interrupts
    ) -> Outcome {
        while true {
            switch events.next(until: nil, or: interrupts) {
            case .element(let answer): return .answered(answer)
            case .signal(let number): return .interrupted(number)
            case .deadline: continue
            }
        }
    }
}
