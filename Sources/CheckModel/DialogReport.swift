/// How a dialog went.
package struct DialogReport: Sendable {
    package var steps: [DialogStepReport]
    /// Named groups of the patterns, in the order in which they matched: the first 1 KiB of each, with escapes
    /// (`\xNN` and the like) where the value is no UTF-8.
    package var groups: [Label]
    /// The index of the step that failed; nil if none did.
    package var failedStep: Int?

    package init(steps: [DialogStepReport] = [], groups: [Label] = [], failedStep: Int? = nil) {
        self.steps = steps
        self.groups = groups
        self.failedStep = failedStep
    }
}

/// How one step of a dialog went.
package struct DialogStepReport: Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case expect, send
        case expectHex = "expect_hex"
        case sendHex = "send_hex"
    }
    package var kind: Kind
    package var ok: Bool
    package var durationNanoseconds: Int64
    /// Bytes sent, or received while the step waited.
    package var bytes: Int
    /// What came while the step waited, at most 1 KiB; nil for steps that send.
    package var received: [UInt8]?
    /// Why the step failed, where the outcome does not tell: a pattern that takes too much time.
    package var detail: String?

    package init(
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
