/// A check that the service repeats by itself: an entry under `monitors` of the configuration.
public struct MonitorDefinition: Sendable {
    /// Unique among the monitors.
    public let name: String
    /// Whether the service is ready only while it is up.
    public let isRequired: Bool
    /// 100 … 86400000: from one round to the next, if that has ended.
    public let intervalMilliseconds: Int
    /// So many rounds in a row that are `ok` make it up, 1 …
    public let upAfter: Int
    /// So many in a row that are not make it down, 1 …
    public let downAfter: Int
    public let check: PreparedCheck
    /// What it was made from: a definition with the same text is the same monitor after a reload, and keeps its history.
    public let source: String

    public init(
        name: String, isRequired: Bool = false, intervalMilliseconds: Int = 10000, upAfter: Int = 1,
        downAfter: Int = 1, check: PreparedCheck, source: String
    ) {
        self.name = name
        self.isRequired = isRequired
        self.intervalMilliseconds = intervalMilliseconds
        self.upAfter = upAfter
        self.downAfter = downAfter
        self.check = check
        self.source = source
    }
}
