public import CheckModel

/// What the engine says to a check.
public enum CheckAnswer: Sendable {
    case result(CheckResult)
    /// The policy leaves nothing to connect to. It says no more than that; the reason is for the log alone.
    case denied(reason: DenialReason)
}
