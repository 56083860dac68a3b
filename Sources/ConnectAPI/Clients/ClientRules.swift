/// The limits for each client, as configured. 0 means no limit.
package struct ClientRules: Hashable, Sendable {
    /// Checks started per second: `limits.per_client_per_second`.
    package var checksPerSecond = 0
    /// Checks in flight: `limits.per_client_in_flight`.
    package var checksInFlight = 0
    /// Distinct targets in an hour: `limits.per_client_targets_per_hour`.
    package var targetsPerHour = 0

    package init() {}

    var isEmpty: Bool { self == ClientRules() }
}

/// A limit per client. The raw value is its label in `/metrics` and its name in logs.
enum ClientLimit: String, CaseIterable, Sendable {
    case rate
    case inFlight = "in_flight"
    case targets
    case connections
}
