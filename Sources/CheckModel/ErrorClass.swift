/// One word for one kind of failure. Every error number has exactly one class.
public enum ErrorClass: String, CaseIterable, Sendable {
    case refused
    case reset
    case timeout
    case unreachable
    case notPermitted = "not_permitted"
    case noSuchSocket = "no_such_socket"
    case backlogFull = "backlog_full"
    case closedEarly = "closed_early"
    case badPath = "bad_path"
    case wrongType = "wrong_type"
    case proberMisconfigured = "prober_misconfigured"
    case proberExhausted = "prober_exhausted"
    case resolveFailed = "resolve_failed"
    case tlsFailed = "tls_failed"
    case dialogFailed = "dialog_failed"
    case denied
    case invalid
    case cancelled
    case unclassified
    case `internal`
}
