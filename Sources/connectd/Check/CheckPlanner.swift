import ArgumentParser
import CheckEngine
import CheckModel
import ConnectAPI
import NetworkTypes
import StrictJSON

/// Creates checks from the targets and options of a command.
struct CheckPlanner {
    var timeout: Duration?
    var connection: ConnectionArguments
    var triesAllAddresses = false
    var tls: TLSArguments
    var dialog: DialogArguments
    var expectation: Expectation?

    /// - Throws: `ValidationError` with all problems: each bad argument, and each bad line with its number.
    func checks(of entries: [TargetEntry], in context: CheckContext) throws -> [PreparedCheck] {
        // Compiled once, because compiling is slow. The dialog of a preset differs from check to check.
        let steps = dialog.steps
        let compiled = try DialogArguments.dialog(steps)
        try dialog.validate(
            for: entries.compactMap { if case .target(let target, _) = $0.content { target } else { nil } })
        var problems: [String] = []
        var checks: [PreparedCheck] = []
        for entry in entries {
            switch entry.content {
            case .target(let target, let expectation):
                var request = request(for: target, expectation)
                request.dialog = dialog.preset == nil ? steps : dialog.steps
                let own = dialog.preset == nil ? compiled : try DialogArguments.dialog(request.dialog)
                checks.append(PreparedCheck(request: request, dialog: own))
            case .request(let document):
                let (check, found) = ConfiguredCheckDecoder.decode(
                    withTimeout(document), material: context.tls, md5Keys: context.md5Keys.keys)
                if let check { checks.append(check) }
                problems += found.map { entry.complaint("\($0.pointer) \($0.detail)") }
            case .invalid(let detail):
                problems.append(entry.complaint(detail))
            }
        }
        guard problems.isEmpty else { throw ValidationError(problems.joined(separator: "\n")) }
        return checks
    }

    private func request(for target: Target, _ expectationOfLine: Expectation?) -> CheckRequest {
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout?.milliseconds ?? 5000)
        connection.apply(to: &request)
        if triesAllAddresses { request.resolve.addresses = .all }
        request.tls = tls.options(for: target)
        request.expectation = expectationOfLine ?? expectation ?? .transportSuccess
        return request
    }

    /// A request line keeps its own members; `--timeout` applies only if it has no `timeout_ms`.
    private func withTimeout(_ document: JSONValue) -> JSONValue {
        guard let timeout, case .object(let object) = document, object["timeout_ms"] == nil else { return document }
        let member = JSONObject.Member(key: "timeout_ms", value: .integer(Int64(timeout.milliseconds)))
        return .object(JSONObject(members: object.members + [member]))
    }
}

extension TargetEntry {
    /// An error message about this entry, with its file and line.
    fileprivate func complaint(_ detail: String) -> String { (place.map { "\($0): " } ?? "") + detail }
}

/// The options of `check` for many targets: concurrency, rate and retries.
struct PaceArguments: ParsableArguments {
    @Option(
        name: [.long, .customLong("parallel")],
        help: ArgumentHelp(
            "The maximum number of checks at once (default: 256, or fewer if the file descriptor limit is low).",
            valueName: "count"))
    var concurrency: Int?

    @Option(
        help: ArgumentHelp("The maximum number of checks at once per host; 0 means no limit.", valueName: "count"))
    var perHost = 0

    @Option(help: ArgumentHelp("The maximum number of checks to start per second.", valueName: "count"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            """
            Repeat each check that timed out this many times (0 … 3) after the rest, one every 1.1 seconds. Routers \
            limit their ICMP errors to about one per second, so a rejected target can time out.
            """, valueName: "count"))
    var retryTimeouts = 0

    func validate() throws {
        if let concurrency, !(1...65_536).contains(concurrency) {
            throw ValidationError("--concurrency must be from 1 to 65536, got \(concurrency)")
        }
        if !(0...65_536).contains(perHost) {
            throw ValidationError("--per-host must be from 0 to 65536, got \(perHost)")
        }
        if let rate, !(rate >= 0.0001 && rate <= 1_000_000) {
            throw ValidationError("--rate must be from 0.0001 to 1000000 checks per second, got \(rate)")
        }
        if !(0...3).contains(retryTimeouts) {
            throw ValidationError("--retry-timeouts must be from 0 to 3, got \(retryTimeouts)")
        }
    }

    /// - Parameter descriptors: The maximum number of descriptors that one check holds at once.
    func options(descriptorsOfCheck descriptors: Int) -> BatchOptions {
        let limit = DescriptorBudget.checks(eachHolding: descriptors)
        var options = BatchOptions(concurrency: min(concurrency ?? 256, limit))
        options.perHost = perHost
        options.ratePerSecond = rate ?? 0
        options.timeoutRetries = retryTimeouts
        return options
    }
}
