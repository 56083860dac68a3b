import ArgumentParser
import CheckModel

/// What `check --nagios` takes beside it.
struct NagiosOptions: ParsableArguments {
    @Flag(
        help: "Print what Nagios and Icinga read, with performance data; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.")
    var nagios = false

    @Option(
        help: "With --nagios: WARNING where a check takes longer, as in 200ms (1ms … 60s).",
        transform: Duration.init(parsing:))
    var warning: Duration?

    @Option(
        help: "With --nagios: CRITICAL where a check takes longer, as in 1s (1ms … 60s).",
        transform: Duration.init(parsing:))
    var critical: Duration?

    @Option(help: "With --nagios: WARNING where a certificate of the chain expires within so many days.")
    var warningDays: Int?

    @Option(help: "With --nagios: CRITICAL where a certificate of the chain expires within so many days.")
    var criticalDays: Int?

    var limits: NagiosLimits {
        NagiosLimits(warning: warning, critical: critical, warningDays: warningDays, criticalDays: criticalDays)
    }

    func validate(for requests: [CheckRequest]) throws {
        if warningDays != nil || criticalDays != nil, requests.allSatisfy({ $0.tls == nil }) {
            throw ValidationError(
                "--warning-days and --critical-days need a handshake: name a tls:// target, or give --tls")
        }
    }

    func validate() throws {
        let hasLimit = warning != nil || critical != nil || warningDays != nil || criticalDays != nil
        if hasLimit && !nagios { throw ValidationError("--warning… and --critical… are for --nagios") }
        if let warning, let critical, critical.milliseconds < warning.milliseconds {
            throw ValidationError("--critical \(critical) is less than --warning \(warning)")
        }
        if let warningDays, let criticalDays, criticalDays > warningDays {
            throw ValidationError("--critical-days \(criticalDays) is more than --warning-days \(warningDays)")
        }
        for days in [warningDays, criticalDays].compactMap({ $0 }) where !(0...36_500).contains(days) {
            throw ValidationError("\(days) is no number of days from 0 to 36500")
        }
    }
}

/// Beyond what a target that is ok is a WARNING or CRITICAL all the same; nil where there is no such limit.
struct NagiosLimits {
    /// How long the whole check may take.
    var warning: Duration?
    var critical: Duration?
    /// How many days the certificate that expires first has to be valid at least.
    var warningDays: Int?
    var criticalDays: Int?

    /// The state of a success, and why, where it is not OK.
    func judge(_ result: CheckResult) -> (state: NagiosState, reason: String?) {
        if let reason = slow(result, critical) ?? invalid(result) ?? expiring(result, criticalDays) {
            return (.critical, reason)
        }
        if let reason = slow(result, warning) ?? expiring(result, warningDays) { return (.warning, reason) }
        return (.ok, nil)
    }

    private func slow(_ result: CheckResult, _ limit: Duration?) -> String? {
        guard let limit, result.timings[.total] > Int64(limit.milliseconds) * 1_000_000 else { return nil }
        return "slower than \(limit)"
    }

    private func expiring(_ result: CheckResult, _ limit: Int?) -> String? {
        guard let limit, let chain = result.tls?.chain, !chain.isEmpty else { return nil }
        guard let seconds = Self.secondsLeft(of: result) else { return "a certificate's end of validity is not a time" }
        guard seconds < Int64(limit) * 86_400 else { return nil }
        return "a certificate expires in \(ValidityText.span(seconds)), limit \(limit) days"
    }

    /// A limit of days asks for a certificate that is valid today, also with `--no-verify`.
    private func invalid(_ result: CheckResult) -> String? {
        guard warningDays != nil || criticalDays != nil else { return nil }
        if let seconds = Self.secondsLeft(of: result), seconds < 0 {
            return "a certificate expired \(ValidityText.span(seconds)) ago"
        }
        let begins = Self.judged(in: result).compactMap { certificate in
            // The clock that the report was made by.
            certificate.notBefore.flatMap { begin in
                certificate.notAfter.flatMap { end in
                    certificate.expiresInSeconds.map { begin - (end - $0) }
                }
            }
        }
        guard let wait = begins.max(), wait > 0 else { return nil }
        return "a certificate is not valid yet, for \(ValidityText.span(wait))"
    }

    /// The certificates that decide: the verified chain, or without one the peer's own. What else the server sends is not
    /// used by anyone.
    private static func judged(in result: CheckResult) -> [CertificateReport] {
        guard let tls = result.tls else { return [] }
        return tls.verifiedChain ?? Array(tls.chain.prefix(1))
    }

    /// Until the first of the certificates that decide expires; nil without a handshake that showed one, and where one has
    /// no readable end.
    static func secondsLeft(of result: CheckResult) -> Int64? {
        let ends = judged(in: result).map(\.expiresInSeconds)
        return ends.contains(nil) ? nil : ends.compactMap { $0 }.min()
    }

    /// Whole days, rounded toward zero: what expired 49 hours ago has -2 left.
    static func days(_ seconds: Int64) -> Int64 { seconds / 86_400 }
}
