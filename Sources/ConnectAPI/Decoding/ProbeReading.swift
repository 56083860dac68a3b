internal import CheckModel
internal import HTTPServer
internal import StrictJSON

/// The parameters of a probe that were found, and what is wrong with them.
struct ProbeReading {
    private var values: [String: String] = [:]
    private var names: Set<String> = []
    private(set) var problems: [JSONProblem] = []

    mutating func take(_ parameter: QueryParameter, known: [String]) {
        let name = parameter.name
        if !known.contains(name) {
            report(name, "unknown parameter; known here: \(known.joined(separator: ", "))")
        } else if !names.insert(name).inserted {
            report(name, "stands more than once")
        } else if let value = parameter.value {
            values[name] = value
        } else {
            report(name, "is not percent-encoded UTF-8 without NUL")
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
            "must be outcomes with commas between them, or \"!\" and one: \(ExpectationDecoder.knownWords)")
        return .transportSuccess
    }

    /// Each parameter of TLS asks for a handshake, whatever the target's scheme; nil where none is there.
    mutating func tls() -> TLSOptions? {
        guard ["server_name", "verify", "starttls", "min_days_left"].contains(where: names.contains) else { return nil }
        var options = TLSOptions()
        options.serverName = serverName()
        options.verify = enumeration("verify", Switch.self) != .false
        options.startTLS = enumeration("starttls", StartTLSProtocol.self)
        options.minimumDaysLeft = integer("min_days_left", in: TLSDecoder.daysLeft)
        return options
    }

    /// What is wrong with the parameters together.
    mutating func judge(_ request: CheckRequest) {
        for flaw in ConsistencyRules.flaws(of: request, isTLSOff: false) {
            // The members of `tls` are parameters by themselves here; `tls` as a whole is wrong for this target.
            report(flaw.path.count > 1 ? flaw.path[flaw.path.count - 1] : "target", flaw.detail)
        }
    }

    private enum Switch: String, CaseIterable {
        case `true`, `false`
    }

    private mutating func serverName() -> String? {
        guard let text = values["server_name"] else { return nil }
        if let flaw = ServerName.flaw(in: text) { report("server_name", flaw) }
        return text
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
