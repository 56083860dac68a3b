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
            Exit status: 0 when every target is ok, 1 when one is not, 2 on wrong usage.

            Examples:
              connectd check db.internal:5432
              connectd check tcp://[::1]:443 udp://10.0.0.2:domain unix:/run/app.sock
              connectd check --json --timeout 500ms web.internal:https
              connectd check tls://web.internal:443 --min-days-left 14
              connectd check 10.0.0.7:443 --server-name web.internal --ca internal-ca.pem
              connectd check mail.internal:25 --starttls smtp
            """)

    @Argument(
        help: """
            Targets: tcp://host:port, host:port, tls://host:port, udp://host:port, unix:/path, unix+dgram:/path, unix:@name.
            """)
    var targets: [String] = []

    @Option(help: "Read further targets from a file, one a line; # begins a comment; - is standard input.")
    var file: String?

    @Option(help: "How long each check may take: 500ms, 5s, 1m (1ms … 60s).", transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 5000)

    @Option(help: "Addresses of a name to try: any, ipv4 or ipv6.")
    var family: ResolveOptions.Family = .any

    @Flag(help: "Try every address of a name; each has to connect.")
    var all = false

    @OptionGroup(title: "TLS")
    var tls: TLSArguments

    @Option(help: "A configuration file whose policy binds the checks; without it they act with your own rights.")
    var config: String?

    @Flag(help: "Print one JSON array.")
    var json = false

    @Flag(help: "Print each result as a line of JSON, as soon as it is there.")
    var ndjson = false

    func validate() throws {
        if json && ndjson { throw ValidationError("--json and --ndjson exclude each other") }
    }

    func run() throws {
        let requests = try requests()
        if requests.isEmpty { throw ValidationError("no target: name one, or a file of them with --file") }
        if tls.isGiven, requests.allSatisfy({ $0.tls == nil }) {
            throw ValidationError("an option of TLS is given, and no target of TCP")
        }
        let session = CheckSession(requests: requests, surroundings: try surroundings())
        let results = try session.run { index, result in
            if ndjson { Output.bytes(encoder.line(result, of: requests[index])) }
        }
        if json { Output.bytes(encoder.array(results, of: requests)) }
        if !json && !ndjson {
            for (result, request) in zip(results, requests) { Output.line(HumanReport.text(result, of: request)) }
        }
        throw results.allSatisfy(\.ok) ? ExitCode.success : ExitCode(1)
    }

    private func surroundings() throws -> Surroundings {
        let configured = try config.map(Self.surroundings(configuredBy:)) ?? Surroundings(policy: nil)
        return Surroundings(
            policy: configured.policy, md5Keys: configured.md5Keys, tls: try tls.material(with: configured.tls))
    }

    private static func surroundings(configuredBy config: String) throws -> Surroundings {
        do throws(ConfigurationProblems) {
            let (settings, warnings) = try SettingsSource(file: config, flags: Flags()).load()
            for warning in warnings { Output.errorLine("connectd: \(warning)") }
            return ServiceAssembly.serviceSettings(from: settings, listening: []).surroundings
        } catch {
            throw ValidationError("the configuration is wrong:\n\(error)")
        }
    }

    private var encoder: ResultEncoder { ResultEncoder(prober: HostName.current) }

    private func requests() throws -> [CheckRequest] {
        let named = targets.map { TargetFile.Entry(text: $0, place: nil) }
        let listed = try file.map { try TargetFile.entries(in: $0) } ?? []
        return try (named + listed).map { request(for: try target(of: $0)) }
    }

    private func target(of entry: TargetFile.Entry) throws -> Target {
        do throws(TargetError) {
            return try Target(parsing: entry.text)
        } catch {
            throw refusal(of: entry, error.detail)
        }
    }

    private func refusal(of entry: TargetFile.Entry, _ detail: String) -> ValidationError {
        ValidationError("\(entry.place.map { "\($0): " } ?? "")target \"\(entry.text)\": \(detail)")
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
