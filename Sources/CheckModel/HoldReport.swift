/// What happened to a connection while it was held.
public struct HoldReport: Hashable, Sendable {
    public enum Event: String, CaseIterable, Sendable {
        /// Nothing happened.
        case open
        /// The peer closed the connection, or its half of it.
        case closed
        /// The peer reset the connection, or refused a datagram.
        case reset
        /// The peer sent something, and kept the connection open.
        case data
    }
    public let event: Event
    /// When it happened, from the end of the connect; for `open`, how long the connection was held.
    public let nanoseconds: Int64

    public init(_ event: Event, nanoseconds: Int64) {
        self.event = event
        self.nanoseconds = nanoseconds
    }
}

extension CheckResult {
    /// What happened while the connection was held; nil without that phase.
    public var after: HoldReport? {
        for case .hold(let report) in reports { return report }
        return nil
    }
}
