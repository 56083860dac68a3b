internal import CheckEngine
internal import CheckModel
internal import HTTPServer
internal import StrictJSON

/// Reads the query of `/v1/probe`.
enum ProbeDecoder {
    private static let known = ["target", "timeout_ms", "family", "addresses", "expect"]

    static func decode(_ head: RequestHead, maximumTimeoutMilliseconds: Int) throws(Problem) -> PreparedCheck {
        var reading = Reading()
        for parameter in QueryRule.parameters(of: head) { reading.take(parameter, known: known) }
        let target = reading.target()
        let timeout = reading.timeout(upTo: maximumTimeoutMilliseconds)
        var resolve = ResolveOptions()
        resolve.family = reading.enumeration("family", ResolveOptions.Family.self) ?? .any
        resolve.addresses = reading.enumeration("addresses", ResolveOptions.Addresses.self) ?? .first
        let expectation = reading.expectation()
        guard let target, reading.problems.isEmpty else { throw Problem(wrongInput: reading.problems) }
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout)
        request.resolve = resolve
        request.expectation = expectation
        return PreparedCheck(request: request)
    }

    /// The parameters that were found, and what is wrong with them.
    private struct Reading {
        private var values: [String: String] = [:]
        private var names: Set<String> = []
        var problems: [JSONProblem] = []

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
                let target = try Target(parsing: text)
                if target.impliesTLS { report("target", ConsistencyRules.noTLS) }
                return target
            } catch {
                report("target", error.detail)
                return nil
            }
        }

        mutating func timeout(upTo maximum: Int) -> Int {
            guard let text = values["timeout_ms"] else { return min(CheckDecoder.defaultTimeoutMilliseconds, maximum) }
            guard let number = Int(text), String(number) == text, (1...maximum).contains(number) else {
                report("timeout_ms", "must be an integer from 1 to \(maximum)")
                return maximum
            }
            return number
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

        private mutating func report(_ name: String, _ detail: String) {
            problems.append(JSONProblem(pointer: QueryRule.pointer(to: name), detail: detail))
        }
    }
}
