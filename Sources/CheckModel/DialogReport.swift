/// How a dialog went.
public struct DialogReport: Sendable {
    public var steps: [DialogStepReport]
    /// Named groups of the patterns, in the order in which they matched: the first 1 KiB of each, with escapes
    /// (`\xNN` and the like) where the value is no UTF-8.
    public var groups: [Label]
    /// The index of the step that failed; nil if none did.
    public var failedStep: Int?

    public init(steps: [DialogStepReport] = [], groups: [Label] = [], failedStep: Int? = nil) {
        self.steps = steps
        self.groups = groups
        self.failedStep = failedStep
    }
}

/// How one step of a dialog went.
public struct DialogStepReport: Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        case expect, send, reject
        case expectHex = "expect_hex"
        case sendHex = "send_hex"
        case startTLS = "starttls"
    }
    public var kind: Kind
    public var ok: Bool
    public var durationNanoseconds: Int64
    /// Bytes sent, or received while the step waited.
    public var bytes: Int
    /// What came while the step waited, at most 1 KiB; nil for steps that send.
    public var received: [UInt8]?
    /// Why the step failed, where the outcome does not tell: a pattern that takes too much time.
    public var detail: String?
    /// The labels of an `expectLine` step that was met.
    public var labels: [Label] = []

    public init(
        kind: Kind, ok: Bool, durationNanoseconds: Int64, bytes: Int, received: [UInt8]?, detail: String? = nil
    ) {
        self.kind = kind
        self.ok = ok
        self.durationNanoseconds = durationNanoseconds
        self.bytes = bytes
        self.received = received
        self.detail = detail
    }
}
