internal import CheckEngine
internal import CheckModel
internal import HTTPServer
internal import StrictJSON

/// Reads the query of `/v1/probe`.
enum ProbeDecoder {
    private static let known = [
        "target", "timeout_ms", "family", "addresses", "server_name", "verify", "starttls", "min_days_left", "expect",
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
        guard let target else { throw Problem(wrongInput: reading.problems) }
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout)
        request.resolve = resolve
        if let tls { request.tls = tls }
        request.expectation = expectation
        reading.judge(request)
        guard reading.problems.isEmpty else { throw Problem(wrongInput: reading.problems) }
        return PreparedCheck(request: request)
    }
}
