/// What a document may cost the reader beyond its own size.
public struct JSONLimits: Sendable {
    /// How many arrays and objects may stand inside one another; the reader recurses, so never more than 512.
    public let depth: Int

    /// How many values the whole document may hold: a value of two bytes costs 24 or more in memory.
    public let values: Int

    /// The defaults are the service's own: depth 16, two million values.
    public init(depth: Int = 16, values: Int = 2_000_000) {
        self.depth = min(depth, 512)
        self.values = values
    }
}
