/// Whose side an error is on.
public enum Fault: String, CaseIterable, Sendable {
    case target, network, prober, request, resolver

    /// Whether an error of this fault says something about the target or the way to it.
    public var isAboutTarget: Bool {
        switch self {
        case .target, .network: true
        case .prober, .request, .resolver: false
        }
    }
}
