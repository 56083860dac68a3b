import ArgumentParser
import CheckModel

/// The options of `check --nagios`.
struct NagiosOptions: ParsableArguments {
    @Flag(
        help: "Print output for Nagios and Icinga, with performance data; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.")
    var nagios = false

    @Option(
        help: "With --nagios: WARNING if a check takes longer, such as 200ms (1ms … 60s).",
        transform: Duration.init(parsing:))
    var warning: Duration?

    @Option(
        help: "With --nagios: CRITICAL if a check takes longer, such as 1s (1ms … 60s).",
        transform: Duration.init(parsing:))
    var critical: Duration?

    @Option(help: "With --nagios: WARNING if a certificate of the chain expires within this many days.")
    var warningDays: Int?

    @Option(help: "With --nagios: CRITICAL if a certificate of the chain expires within this many days.")
    var criticalDays: Int?

    var limits: NagiosLimits {
        NagiosLimits(warning: warning, critical: critical, warningDays: warningDays, criticalDays: criticalDays)
    }

    /// - Parameter hasTLS: Whether any check uses TLS.
    func validate(hasTLS: Bool, format: ReportFormat) throws {
        if hasLimit, format != .nagios { throw ValidationError("--warning… and --critical… need --nagios") }
        if warningDays != nil || criticalDays != nil, !hasTLS {
            throw ValidationError(
                "--warning-days and --critical-days need TLS: use a tls:// target or --tls")
        }
    }

    private var hasLimit: Bool { warning != nil || critical != nil || warningDays != nil || criticalDays != nil }

    func validate() throws {
        if let warning, let critical, critical.milliseconds < warning.milliseconds {
            throw ValidationError("--critical \(critical) must not be less than --warning \(warning)")
        }
        if let warningDays, let criticalDays, criticalDays > warningDays {
            throw ValidationError("--critical-days \(criticalDays) must not be more than --warning-days \(warningDays)")
        }
        for days in [warningDays, criticalDays].compactMap({ $0 }) where !(0...36_500).contains(days) {
            throw ValidationError("--warning-days and --critical-days must be from 0 to 36500, got \(days)")
        }
    }
}

/// The limits that turn a success into a WARNING or CRITICAL; nil means no limit.
struct NagiosLimits {
    /// The maximum duration of the whole check.
    var warning: Duration?
    var critical: Duration?
    /// The minimum remaining validity, in days, of the certificate that expires first.
    var warningDays: Int?
    var criticalDays: Int?

    /// The state of a successful check, and the reason if it is not OK.
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
        guard let seconds = Self.secondsLeft(of: result) else {
            return "the expiry date of a certificate is not readable"
        }
        guard seconds < Int64(limit) * 86_400 else { return nil }
        return "a certificate expires in \(ValidityText.span(seconds)), limit \(limit) days"
    }

    /// A limit in days requires a currently valid certificate, even with `--no-verify`.
    private func invalid(_ result: CheckResult) -> String? {
        guard warningDays != nil || criticalDays != nil else { return nil }
        if let seconds = Self.secondsLeft(of: result), seconds < 0 {
            return "a certificate expired \(ValidityText.span(seconds)) ago"
        }
        let begins = Self.judged(in: result).compactMap { certificate in
            // The time of the report is notAfter minus expiresInSeconds.
            certificate.notBefore.flatMap { begin in
                certificate.notAfter.flatMap { end in
                    certificate.expiresInSeconds.map { begin - (end - $0) }
                }
            }
        }
        guard let wait = begins.max(), wait > 0 else { return nil }
        return "a certificate is not valid yet, for \(ValidityText.span(wait))"
    }

    /// The certificates that decide: the verified chain, or without one the peer's own certificate. Clients ignore any other
    /// certificate that the server sends.
    private static func judged(in result: CheckResult) -> [CertificateReport] {
        guard let tls = result.tls else { return [] }
        return tls.verifiedChain ?? Array(tls.chain.prefix(1))
    }

    /// The seconds until the first of these certificates expires; nil if there is none, or if an expiry date is not
    /// readable.
    static func secondsLeft(of result: CheckResult) -> Int64? {
        let ends = judged(in: result).map(\.expiresInSeconds)
        return ends.contains(nil) ? nil : ends.compactMap { $0 }.min()
    }

    /// Whole days, rounded toward zero: -2 for a certificate that expired 49 hours ago.
    static func days(_ seconds: Int64) -> Int64 { seconds / 86_400 }
}
