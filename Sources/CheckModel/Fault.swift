/// Whose side an error is on.
package enum Fault: String, CaseIterable, Sendable {
    case target, network, prober, request, resolver
}
