import CheckModel

/// A result for a person: one line, one more for TLS, and for a failure one that helps.
enum HumanReport {
    static func text(_ result: CheckResult, of request: CheckRequest, in palette: Palette = .plain) -> String {
        let verdict = result.ok ? palette.good("ok  ") : palette.bad("FAIL")
        var lines = ["\(verdict)  \(request.target.text)  \(summary(of: result))"]
        if let tls = result.tls.flatMap(HumanTLS.line(for:)) { lines.append("      \(tls)") }
        if let evidence = result.error.flatMap(HumanTLS.evidence(of:)) { lines.append("      \(evidence)") }
        if let error = result.error, !result.ok {
            lines.append("      fault: \(error.fault.rawValue). \(error.hint)")
        }
        if result.attempts.count > 1 { lines += result.attempts.map(line(for:)) }
        return lines.joined(separator: "\n")
    }

    /// The outcome, why, where and how long.
    static func summary(of result: CheckResult) -> String {
        let time = milliseconds(result.timings.total)
        guard let error = result.error else {
            let address = result.attempts.last(where: \.outcome.isSuccess).flatMap(address(of:))
            return [result.outcome.word, address, time].compactMap { $0 }.joined(separator: "  ")
        }
        let where_ = result.attempts.count == 1 ? address(of: result.attempts[0]) : nil
        return [
            result.outcome.word, "\(error.name) (\(error.message))", where_, "phase \(result.phase.rawValue)", time,
        ].compactMap { $0 }.joined(separator: "  ")
    }

    private static func line(for attempt: AttemptResult) -> String {
        let name = attempt.error.map { "\($0.name) (\($0.message))" }
        let parts = [address(of: attempt), attempt.outcome.word, name, milliseconds(attempt.durationNanoseconds)]
        return "      " + parts.compactMap { $0 }.joined(separator: "  ")
    }

    /// nil for UNIX-domain sockets, which the target names already.
    static func address(of attempt: AttemptResult) -> String? {
        guard case .ip(let endpoint) = attempt.endpoint else { return nil }
        switch endpoint.address {
        case .v4: return "\(endpoint.address.text):\(endpoint.port)"
        case .v6: return "[\(endpoint.address.text)]:\(endpoint.port)"
        }
    }

    static func milliseconds(_ nanoseconds: Int64) -> String {
        let hundredths = nanoseconds / 10_000
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ms"
    }
}
