/// What connect(2) on a non-blocking socket said when it was no failure.
public enum ConnectStart: Sendable {
    /// Done: the call returned 0.
    case complete
    /// EINPROGRESS, or EINTR, behind which the attempt goes on by itself: writability and SO_ERROR tell the end.
    case inProgress
}
