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

/// Why a client must wait.
struct ClientRefusal: Error, Hashable {
    let limit: ClientLimit
    /// When the client may ask again, in nanoseconds from now.
    let waitNanoseconds: UInt64

    /// 429 with Retry-After in whole seconds, at least 1.
    func problem(under rules: ClientRules) -> Problem {
        let seconds = max((waitNanoseconds + 999_999_999) / 1_000_000_000, 1)
        return Problem(.tooManyRequests, detail(under: rules), headers: [("Retry-After", "\(seconds)")])
    }

    private func detail(under rules: ClientRules) -> String {
        switch limit {
        case .rate:
            "this client may start \(rules.checksPerSecond) checks per second (limits.per_client_per_second)"
        case .inFlight:
            "this client may have \(rules.checksInFlight) checks in flight (limits.per_client_in_flight)"
        case .targets:
            "this client may check \(rules.targetsPerHour) different targets in an hour"
                + " (limits.per_client_targets_per_hour)"
        case .connections:
            "this client has too many open connections"
        }
    }
}
