/// How a dialog went.
package struct DialogReport: Sendable {
    package var steps: [DialogStepReport]
    /// Named groups of the patterns, in the order in which they matched.
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

    package init(kind: Kind, ok: Bool, durationNanoseconds: Int64, bytes: Int, received: [UInt8]?) {
        self.kind = kind
        self.ok = ok
        self.durationNanoseconds = durationNanoseconds
        self.bytes = bytes
        self.received = received
    }
}
