import ArgumentParser
import CheckEngine
import CheckModel
import ConnectAPI
import NetworkTypes
import StrictJSON

/// Makes checks of the targets and options of a command.
struct CheckPlanner {
    var timeout: Duration?
    var connection: ConnectionArguments
    var triesAllAddresses = false
    var tls: TLSArguments
    var dialog: DialogArguments
    var expectation: Expectation?

    /// - Throws: wrong usage, with everything that is wrong: each bad argument, each bad line with its number.
    func checks(of entries: [TargetEntry], under surroundings: Surroundings) throws -> [PreparedCheck] {
        // Compiled once, unless each check has random numbers of its own.
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
                    withTimeout(document), material: surroundings.tls, md5Keys: surroundings.md5Keys.keys)
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

    /// A request line says all about its check, but for the time that it may take.
    private func withTimeout(_ document: JSONValue) -> JSONValue {
        guard let timeout, case .object(let object) = document, object["timeout_ms"] == nil else { return document }
        let member = JSONObject.Member(key: "timeout_ms", value: .integer(Int64(timeout.milliseconds)))
        return .object(JSONObject(members: object.members + [member]))
    }
}

extension TargetEntry {
    /// A message about it, with its place.
    fileprivate func complaint(_ detail: String) -> String { (place.map { "\($0): " } ?? "") + detail }
}

extension Target {
    /// What `--per-host` counts by: the host as it is written, or the path.
    var hostKey: String {
        switch peer {
        case .tcp(.address(let address), _), .udp(.address(let address), _): address.text
        case .tcp(.name(let name), _), .udp(.name(let name), _):
            (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
        case .unix: text
        }
    }
}

/// The options of `check` about many targets: how many at once, how fast, and what to repeat.
struct PaceArguments: ParsableArguments {
    @Option(
        name: [.long, .customLong("parallel")],
        help: ArgumentHelp(
            "How many checks run at once, at most (default: 256, or what the limit of descriptors allows).",
            valueName: "count"))
    var concurrency: Int?

    @Option(
        help: ArgumentHelp("How many checks of one host run at once, at most; 0 means no limit.", valueName: "count"))
    var perHost = 0

    @Option(help: ArgumentHelp("How many checks start per second, at most.", valueName: "count"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            """
            Repeat each check that timed out so many times (0 … 3) after the rest, one every 1.1 seconds. Routers limit \
            their ICMP errors to about one a second, so that rejected targets can look like timeouts.
            """, valueName: "count"))
    var retryTimeouts = 0

    func validate() throws {
        if let concurrency, !(1...65_536).contains(concurrency) {
            throw ValidationError("--concurrency takes 1 to 65536, got \(concurrency)")
        }
        if !(0...65_536).contains(perHost) { throw ValidationError("--per-host takes 0 to 65536, got \(perHost)") }
        if let rate, !(rate >= 0.0001 && rate <= 1_000_000) {
            throw ValidationError("--rate takes 0.0001 to 1000000 checks per second, got \(rate)")
        }
        if !(0...3).contains(retryTimeouts) {
            throw ValidationError("--retry-timeouts takes 0 to 3, got \(retryTimeouts)")
        }
    }

    /// - Parameter descriptors: how many one check may hold at once.
    func options(descriptorsOfCheck descriptors: Int) -> BatchOptions {
        let limit = DescriptorBudget.checks(eachHolding: descriptors)
        var options = BatchOptions(concurrency: min(concurrency ?? 256, limit))
        options.perHost = perHost
        options.ratePerSecond = rate ?? 0
        options.timeoutRetries = retryTimeouts
        return options
    }
}
