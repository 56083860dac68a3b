/// How long a probe may take: what Prometheus leaves it, or its module, whichever is less.
struct ScrapeTimeout {
    /// So much of Prometheus' own timeout is left for the answer.
    static let offsetSeconds = 0.5
    /// Where nobody says anything.
    static let defaultSeconds = 120.0

    let seconds: Double
    /// 1 …: what the engine is given.
    var milliseconds: Int { max(1, Int((seconds * 1000).rounded(.down))) }

    struct Malformed: Error {}

    /// - Parameters:
    ///   - header: `X-Prometheus-Scrape-Timeout-Seconds`.
    ///   - moduleSeconds: 0: the module sets no limit.
    ///   - limitSeconds: what this service allows at all.
    /// - Throws: where the header is no number.
    init(header: String?, moduleSeconds: Double, limitSeconds: Double) throws(Malformed) {
        var scrape = 0.0
        if let header, !header.isEmpty { scrape = try Self.number(header) }
        if scrape == 0 { scrape = Self.defaultSeconds }
        let left = scrape - Self.offsetSeconds
        let takesModule = (moduleSeconds > 0 && moduleSeconds < left) || left < 0
        seconds = min(max(takesModule ? moduleSeconds : left, 0), limitSeconds)
    }

    /// As Go's `strconv.ParseFloat` reads it, but for NaN, which is no time.
    private static func number(_ text: String) throws(Malformed) -> Double {
        let lowered = text.lowercased()
        // Hexadecimal only with an exponent.
        guard !lowered.contains("x") || lowered.contains("p"), !lowered.contains("nan"), let value = Double(text),
            // Too large for a number is an error there, unless infinity is meant.
            value.isFinite || lowered.contains("inf")
        else { throw Malformed() }
        return value
    }
}
