internal import CheckEngine
internal import CheckModel
internal import ErrorCatalogue
package import HTTPServer
internal import NetworkTypes
internal import StrictJSON

/// The parameters of `/v1/probe`, and the problems with them.
struct ProbeReading {
    private var values: [String: String] = [:]
    private var names: Set<String> = []
    private(set) var problems: [JSONProblem] = []

    mutating func take(_ parameter: QueryParameter, known: [String]) {
        let name = parameter.name
        if !known.contains(name) {
            report(name, "unknown parameter; known here: \(known.joined(separator: ", "))")
        } else if !names.insert(name).inserted {
            report(name, "is a duplicate")
        } else if let value = parameter.value {
            values[name] = value
        } else {
            report(name, "must be percent-encoded UTF-8 without NUL")
        }
    }

    mutating func target() -> Target? {
        guard let text = values["target"] else {
            if !names.contains("target") { report("target", "is required") }
            return nil
        }
        do throws(TargetError) {
            return try Target(parsing: text)
        } catch {
            report("target", error.detail)
            return nil
        }
    }

    mutating func timeout(upTo maximum: Int) -> Int {
        integer("timeout_ms", in: 1...maximum) ?? min(CheckDecoder.defaultTimeoutMilliseconds, maximum)
    }

    mutating func enumeration<Word>(_ name: String, _ type: Word.Type) -> Word?
    where Word: RawRepresentable<String> & CaseIterable {
        guard let text = values[name] else { return nil }
        if let word = Word(rawValue: text) { return word }
        report(name, "must be one of: \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }

    mutating func expectation() -> Expectation {
        guard let text = values["expect"] else { return .transportSuccess }
        if let expectation = ExpectationDecoder.expectation(parsing: text) { return expectation }
        report(
            "expect",
            "must be outcomes separated by commas, or \"!\" and one: \(ExpectationDecoder.knownWords)")
        return .transportSuccess
    }

    /// The TLS options. Each of them requests a handshake, whatever the target's scheme; nil without any.
    mutating func tls() -> TLSOptions? {
        guard ["server_name", "verify", "starttls", "min_days_left"].contains(where: names.contains) else { return nil }
        var options = TLSOptions()
        options.serverName = serverName()
        options.verify = enumeration("verify", Switch.self) != .false
        options.startTLS = enumeration("starttls", StartTLSProtocol.self)
        options.minimumDaysLeft = integer("min_days_left", in: TLSDecoder.daysLeft)
        return options
    }

    /// When to trace; nil for never. The other options of a trace have their defaults.
    mutating func trace(timeoutUpTo maximum: Int) -> TraceOptions? {
        guard let when = enumeration("trace", TraceOptions.When.self), when != .never else { return nil }
        return TraceOptions(when: when, timeoutMilliseconds: TraceDecoder.defaultTimeout(maximum))
    }

    /// Reads `hold_ms` and `half_open`. A probe has one round: its status is the verdict on one connection.
    mutating func hold(into request: inout CheckRequest) {
        request.holdMilliseconds = UInt16(integer("hold_ms", in: RoundsDecoder.milliseconds) ?? 0)
        request.isHalfOpen = enumeration("half_open", Switch.self) == .true
    }

    /// Reports parameters that contradict each other.
    mutating func judge(_ request: CheckRequest) {
        for flaw in ConsistencyRules.flaws(of: request, isTLSOff: false) {
            // Here each member of `tls` is a parameter of its own; `tls` as a whole concerns the target.
            report(flaw.path == ["tls"] ? "target" : flaw.path[flaw.path.count - 1], flaw.detail)
        }
    }

    private enum Switch: String, CaseIterable {
        case `true`, `false`
    }

    private mutating func serverName() -> String? {
        guard let text = values["server_name"] else { return nil }
        do throws(TargetError) {
            return try ServerName.read(text)
        } catch {
            report("server_name", error.detail)
            return nil
        }
    }

    private mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), String(number) == text, range.contains(number) else {
            report(name, "must be an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    private mutating func report(_ name: String, _ detail: String) {
        problems.append(JSONProblem(pointer: QueryRule.pointer(to: name), detail: detail))
    }
}

/// Reads the query of `/v1/probe`.
enum ProbeDecoder {
    private static let known = [
        "target", "timeout_ms", "hold_ms", "half_open", "family", "addresses", "server_name", "verify", "starttls",
        "min_days_left", "expect", "trace",
    ]

    static func decode(_ head: RequestHead, maximumTimeoutMilliseconds: Int) throws(Problem) -> PreparedCheck {
        var reading = ProbeReading()
        for parameter in QueryRule.parameters(of: head) { reading.take(parameter, known: known) }
        let target = reading.target()
        let timeout = reading.timeout(upTo: maximumTimeoutMilliseconds)
        var resolve = ResolveOptions()
        resolve.family = reading.enumeration("family", ResolveOptions.Family.self) ?? .any
        resolve.addresses = reading.enumeration("addresses", ResolveOptions.Addresses.self) ?? .first
        let tls = reading.tls()
        let expectation = reading.expectation()
        let trace = reading.trace(timeoutUpTo: maximumTimeoutMilliseconds)
        guard let target else { throw Problem(wrongInput: reading.problems) }
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout)
        reading.hold(into: &request)
        request.resolve = resolve
        if let tls { request.tls = tls }
        request.trace = trace
        request.expectation = expectation
        reading.judge(request)
        guard reading.problems.isEmpty else { throw Problem(wrongInput: reading.problems) }
        return PreparedCheck(request: request)
    }
}

/// Queries are as strict as bodies: an unknown parameter is a client error.
package enum QueryRule {
    /// Accepts only requests without a query.
    package static func acceptNone(_ head: RequestHead) throws(Problem) {
        guard let query = head.rawQuery, !query.isEmpty else { return }
        throw Problem(
            .badRequest, "this resource takes no query parameters",
            errors: parameters(of: head).map {
                JSONProblem(pointer: pointer(to: $0.name), detail: "unknown parameter")
            })
    }

    /// The decoded parameters. `+` is a plus sign, as in `unix+dgram:`.
    static func parameters(of head: RequestHead) -> [QueryParameter] { head.query(plusIsSpace: false) }

    /// The pointer to a parameter as a member of the query, RFC 6901.
    static func pointer(to name: String) -> String { JSONPointerToken.member(name).escaped }
}

/// Turns the result of `/v1/probe` into an HTTP status.
enum ProbeVerdict {
    /// 200 if ok, 504 for a timeout, 502 for all other results. 503 is never a result: connectd itself sends it.
    static func status(of result: CheckResult) -> Int {
        if result.ok { return 200 }
        return result.outcome == .failed(.timeout) ? 504 : 502
    }
}
