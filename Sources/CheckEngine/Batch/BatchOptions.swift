/// How fast the checks of a batch may start, and whether those that timed out are repeated.
public struct BatchOptions: Hashable, Sendable {
    /// Checks in flight at once, at least 1.
    public var concurrency: Int
    /// Checks in flight at once to one host; 0 means no limit.
    public var perHost = 0
    /// Starts per second; 0 means no limit.
    public var ratePerSecond = 0.0
    /// How many times a check that timed out is repeated after the rest, 0 … 3.
    public var timeoutRetries = 0
    /// The pause between the starts of two repeated checks, in milliseconds.
    ///
    /// Linux sends about one ICMP error a second to one host (icmp_ratelimit), whatever the error is about. A repeated check
    /// gets its ICMP error only if it has such a second to itself.
    public var retryPauseMilliseconds = 1100
    /// How long the repetition may take as a whole, in milliseconds. What is left then keeps its timeout.
    public var retryLimitMilliseconds = 600_000

    public init(concurrency: Int) {
        self.concurrency = concurrency
    }
}
