/// Has other places try the check of a monitor that fails here, before the monitor is down.
public protocol MonitorConfirmation: Sendable {
    /// Returns soon after the check's own timeout. Canceling the task ends it early.
    func confirm() async -> ConfirmationReport
}

/// What other places say about a monitor that fails here.
public struct ConfirmationReport: Sendable, Equatable {
    /// What one place says.
    public struct Opinion: Sendable, Equatable {
        public enum Kind: String, CaseIterable, Sendable {
            /// Its check failed too, for a reason that is about the target or the path to it.
            case failed
            case ok
            /// Its check failed because of the place itself, its resolver or the request: that says nothing about the
            /// target.
            case notCounted = "not_counted"
            /// No answer in time.
            case unavailable
        }

        public let place: String
        public let kind: Kind
        /// `outcome` of its result; nil without one.
        public let outcome: String?
        /// The reason, for people; nil if the outcome says it.
        public let detail: String?

        public init(place: String, kind: Kind, outcome: String? = nil, detail: String? = nil) {
            self.place = place
            self.kind = kind
            self.outcome = outcome
            self.detail = detail
        }
    }

    /// When the places were asked: wall-clock time, nanoseconds since 1970.
    public let atNanoseconds: Int64
    /// One for each place that was asked.
    public let opinions: [Opinion]
    /// How many places must fail too before the monitor is down, at least 1.
    public let needed: Int
    /// Why no place was asked; nil if one was.
    public let reason: String?

    public init(atNanoseconds: Int64, opinions: [Opinion], needed: Int, reason: String? = nil) {
        self.atNanoseconds = atNanoseconds
        self.opinions = opinions
        self.needed = max(needed, 1)
        self.reason = reason
    }

    public func count(of kind: Opinion.Kind) -> Int { opinions.count { $0.kind == kind } }

    /// Whether enough places agree that the target is down.
    public var isConfirmed: Bool { count(of: .failed) >= needed }
}
