package import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO
internal import StrictJSON

/// Runs a check in another place, for a command that judges results.
package enum RemoteCheckResult {
    /// Asks the place, and reads what of its result a verdict needs: outcome, phase, error, attempts, addresses and time.
    /// - Parameter body: the body of `POST /v1/checks`.
    package static func ask(
        _ fleet: any FleetAsking, at place: PlaceName, _ request: CheckRequest, body: [UInt8]
    ) async -> CheckResult {
        let question = FleetQuestion(
            place: place, body: body, request: request, deadline: FleetDeadline.deadline(of: request, trials: 2))
        var answer = await fleet.ask(question)
        if case .finished(let result) = answer {
            if let read = RemoteResultReader.result(result.document) { return read }
            answer = .unavailable(reason: "this version cannot read the result of \(place.text)")
        }
        let (report, isOK) = RemoteItems.refusal(answer, of: request, isCancelled: Task.isCancelled)
        return CheckResult(
            ok: isOK, outcome: .failed(report.errorClass), phase: .policy, error: report, attempts: [], resolution: nil,
            timings: Timings(), startedAtNanoseconds: Clock.wallNanoseconds())
    }
}

/// Reads a result from its JSON. What only people read is left out.
enum RemoteResultReader {
    /// - Returns: nil if it is not a result of a version that this one knows.
    static func result(_ object: JSONObject) -> CheckResult? {
        guard case .bool(let isOK)? = object["ok"], let outcome = outcome(object),
            let phase = object["phase"]?.word.flatMap(Phase.init)
        else { return nil }
        let error = error(object["error"])
        if case .failed = outcome, error == nil { return nil }
        var attempts: [AttemptResult] = []
        if case .array(let values)? = object["attempts"] {
            for value in values {
                guard let attempt = attempt(value) else { return nil }
                attempts.append(attempt)
            }
        }
        var timings = Timings()
        if case .object(let times)? = object["timings_ms"] { timings[.total] = nanoseconds(times["total"]) }
        return CheckResult(
            ok: isOK, outcome: outcome, phase: phase, error: error, attempts: attempts,
            resolution: resolution(object["resolution"]), timings: timings,
            startedAtNanoseconds: Clock.wallNanoseconds())
    }

    private static func outcome(_ object: JSONObject) -> Outcome? {
        let word = object["outcome"]?.word
        return Outcome.all.first { $0.word == word }
    }

    private static func error(_ value: JSONValue?) -> ErrorReport? {
        guard case .object(let object)? = value, let name = object["name"]?.word,
            let errorClass = object["class"]?.word.flatMap(ErrorClass.init),
            let fault = object["fault"]?.word.flatMap(Fault.init),
            let source = object["source"]?.word.flatMap(ErrorSource.init)
        else { return nil }
        let number = object["errno"]?.wholeNumber.flatMap(Int32.init(exactly:))
        return ErrorReport(
            errno: number.map(Errno.init), name: name, errorClass: errorClass, fault: fault, source: source,
            message: object["message"]?.word ?? "", hint: object["hint"]?.word ?? "",
            retryable: object["retryable"] == .bool(true))
    }

    private static func attempt(_ value: JSONValue) -> AttemptResult? {
        guard case .object(let object) = value, let outcome = outcome(object),
            let phase = object["phase"]?.word.flatMap(Phase.init), let endpoint = endpoint(object)
        else { return nil }
        var attempt = AttemptResult(
            endpoint: endpoint, outcome: outcome, phase: phase, startNanoseconds: nanoseconds(object["start_ms"]))
        attempt.durationNanoseconds = nanoseconds(object["duration_ms"])
        attempt.error = error(object["error"])
        guard let address = endpoint.internetAddress, let icmp = icmp(object["icmp"]) else { return attempt }
        var local: IPAddress?
        if case .object(let members)? = object["local"] { local = members["address"]?.word.flatMap(IPAddress.init) }
        attempt.icmp = icmp
        attempt.icmpSender = icmp.sender(destination: address) { $0 == local }
        return attempt
    }

    private static func endpoint(_ object: JSONObject) -> Endpoint? {
        if let path = object["path"]?.word { return .unix(.path(Array(path.utf8))) }
        guard let address = object["address"]?.word.flatMap(IPAddress.init),
            let port = object["port"]?.wholeNumber.flatMap(UInt16.init(exactly:))
        else { return nil }
        return .ip(IPEndpoint(address: address, port: port))
    }

    private static func icmp(_ value: JSONValue?) -> ICMPMessage? {
        guard case .object(let object)? = value, let type = object["type"]?.wholeNumber.flatMap(UInt8.init(exactly:)),
            let code = object["code"]?.wholeNumber.flatMap(UInt8.init(exactly:))
        else { return nil }
        // A place with the profile public hides its routers.
        let sender = object["from"]?.word.flatMap(IPAddress.init) ?? .v4(IPv4Address(bits: 0))
        return ICMPMessage(family: sender.family, type: type, code: code, from: sender)
    }

    private static func resolution(_ value: JSONValue?) -> Resolution? {
        guard case .object(let object)? = value, let name = object["name"]?.word,
            case .array(let values)? = object["addresses"]
        else { return nil }
        let source = object["source"]?.word.flatMap(Resolution.Source.init) ?? .dns
        var resolution = Resolution(
            name: name, addresses: values.compactMap { $0.word.flatMap(IPAddress.init) }, source: source)
        resolution.isTruncated = object["truncated"] == .bool(true)
        return resolution
    }

    private static func nanoseconds(_ value: JSONValue?) -> Int64 {
        switch value {
        case .integer(let number): Int64(clamping: number.multipliedReportingOverflow(by: 1_000_000).partialValue)
        case .number(let number): Int64(max(0, min(number, 1e9)) * 1e6)
        case .null, .bool, .string, .array, .object, nil: 0
        }
    }
}

extension JSONValue {
    /// The text of a string; nil for any other value.
    fileprivate var word: String? {
        if case .string(let text) = self { text } else { nil }
    }
}

extension IPAddress {
    fileprivate init?(_ text: String) { self.init(parsing: text) }
}
