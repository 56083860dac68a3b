/// Whose side an error is on.
public enum Fault: String, CaseIterable, Sendable {
    case target, network, prober, request, resolver
}
