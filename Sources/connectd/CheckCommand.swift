public import ArgumentParser
import CLinux
import CheckEngine
public import CheckModel
import Configuration
import ConnectAPI
import SocketIO

/// `connectd check`: the same engine without a service, with the caller's own rights.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check whether targets accept a connection from here.",
        discussion: """
            Exit status: 0 when every target is ok, 1 when one is not, 2 on wrong usage. With --nagios that of \
            monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (wrong usage, or the fault is the prober's own).

            Examples:
              connectd check db.internal:5432
              connectd check tcp://[::1]:443 udp://10.0.0.2:domain unix:/run/app.sock
              connectd check --json --timeout 500ms web.internal:https
              connectd check tls://web.internal:443 --min-days-left 14
              connectd check 10.0.0.7:443 --server-name web.internal --ca internal-ca.pem
              connectd check mail.internal:25 --starttls smtp
              connectd check --nagios --warning 200ms --critical 1s db.internal:5432
            """)

    @Argument(
        help: """
            Targets: tcp://host:port, host:port, tls://host:port, udp://host:port, unix:/path, unix+dgram:/path, unix:@name.
            """)
    var targets: [String] = []

    @Option(
        help: "Read further targets from a file, one a line; # begins a comment; - is standard input.",
        completion: .file())
    var file: String?

    @Option(
        help: "How long each check may take: 500ms, 5s, 1m (1ms … 60s; default: 5s).",
        transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 5000)

    @Option(help: "Addresses of a name to try: any, ipv4 or ipv6.")
    var family: ResolveOptions.Family = .any

    @Flag(help: "Try every address of a name; each has to connect.")
    var all = false

    @OptionGroup(title: "TLS")
    var tls: TLSArguments

    @Option(
        help: "A configuration file whose policy binds the checks; without it they act with your own rights.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Flag(help: "Print one JSON array.")
    var json = false

    @Flag(help: "Print each result as a line of JSON, as soon as it is there.")
    var ndjson = false

    @OptionGroup var nagios: NagiosOptions
    @OptionGroup var color: ColorOption

    func validate() throws {
        if json && ndjson { throw ValidationError("--json and --ndjson exclude each other") }
        if nagios.nagios && (json || ndjson) {
            throw ValidationError("--nagios and --\(json ? "json" : "ndjson") exclude each other")
        }
    }

    func run() throws {
        let requests = try requests()
        try tls.validate(for: requests)
        try nagios.validate(for: requests)
        let surroundings = try CallerSurroundings.read(config: config, tls: tls)
        let session = CheckSession(requests: requests, surroundings: surroundings)
        let results = try session.run { index, result in
            if ndjson { Output.bytes(encoder.line(result, of: requests[index])) }
        }
        if json { Output.bytes(encoder.array(results, of: requests)) }
        if nagios.nagios {
            let report = NagiosReport(results, of: requests, limits: nagios.limits)
            Output.line(report.text)
            throw ExitCode(report.state.rawValue)
        }
        if !json && !ndjson {
            let palette = color.palette(for: STDOUT_FILENO)
            for (result, request) in zip(results, requests) {
                Output.line(HumanReport.text(result, of: request, in: palette))
            }
        }
        throw results.allSatisfy(\.ok) ? ExitCode.success : ExitCode(1)
    }

    private var encoder: ResultEncoder { ResultEncoder(prober: HostName.current) }

    private func requests() throws -> [CheckRequest] {
        try TargetFile.entries(named: targets, file: file).map { request(for: try $0.target()) }
    }

    private func request(for target: Target) -> CheckRequest {
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout.milliseconds)
        request.resolve.family = family
        if all { request.resolve.addresses = .all }
        request.tls = tls.options(for: target)
        return request
    }
}

extension ResolveOptions.Family: ExpressibleByArgument {}
