import CheckModel

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
        if let reason = slow(result, critical) ?? expiring(result, criticalDays) { return (.critical, reason) }
        if let reason = slow(result, warning) ?? expiring(result, warningDays) { return (.warning, reason) }
        return (.ok, nil)
    }

    private func slow(_ result: CheckResult, _ limit: Duration?) -> String? {
        guard let limit, result.timings.total > Int64(limit.milliseconds) * 1_000_000 else { return nil }
        return "slower than \(limit)"
    }

    private func expiring(_ result: CheckResult, _ limit: Int?) -> String? {
        guard let limit, let chain = result.tls?.chain, !chain.isEmpty else { return nil }
        guard let seconds = Self.secondsLeft(of: result) else { return "a certificate's end of validity is no time" }
        guard seconds < Int64(limit) * 86_400 else { return nil }
        return "a certificate expires in \(Self.days(seconds)) days, fewer than \(limit)"
    }

    /// Until the first certificate of the chain expires; nil without a handshake that showed one, and where one has no
    /// readable end.
    static func secondsLeft(of result: CheckResult) -> Int64? {
        let ends = result.tls?.chain.map(\.expiresInSeconds) ?? []
        return ends.contains(nil) ? nil : ends.compactMap { $0 }.min()
    }

    /// Whole days, rounded down: what has expired an hour ago has -1 left.
    static func days(_ seconds: Int64) -> Int64 {
        seconds / 86_400 - (seconds < 0 && seconds % 86_400 != 0 ? 1 : 0)
    }
}
