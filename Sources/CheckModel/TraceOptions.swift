/// Options of a trace: the member `trace` of a check.
///
/// A class, because most checks have none: a request without a trace holds only an empty reference.
public final class TraceOptions: Sendable {
    /// When a check is followed by a trace.
    public enum When: String, CaseIterable, Sendable {
        case never
        /// If the check is not `ok`.
        case onFailure = "on_failure"
        case always
    }
    /// How the probes of a trace choose their source ports.
    public enum Flow: String, CaseIterable, Sendable {
        /// All TTLs at once, each probe from its own port. If the answers contradict each other, the trace follows one
        /// path as `fixed` does.
        case varied
        /// One TTL after another from one port, so that all probes take the same path.
        case fixed
    }
    public let when: When
    /// 1 … 255: the largest TTL of a probe.
    public let maxTTL: Int
    public let flow: Flow
    /// 1 … 60000: the limit for the trace, which begins after the check has ended.
    public let timeoutMilliseconds: Int

    public static let defaultMaxTTL = 30
    public static let defaultTimeoutMilliseconds = 3000
    public static let maxTTLRange = 1...255

    public init(
        when: When = .onFailure, maxTTL: Int = defaultMaxTTL, flow: Flow = .varied,
        timeoutMilliseconds: Int = defaultTimeoutMilliseconds
    ) {
        self.when = when
        self.maxTTL = maxTTL
        self.flow = flow
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// Whether a check with this result is followed by a trace.
    public func applies(toCheckThatIsOK isOK: Bool) -> Bool {
        switch when {
        case .never: false
        case .onFailure: !isOK
        case .always: true
        }
    }
}
