/// What a monitor says of its target.
public enum MonitorState: String, CaseIterable, Sendable {
    /// Not enough rounds yet to say.
    case pending
    case up, down
}
