/// How much is taken at once. All of it is checked against the ranges of the key table.
package struct LimitSettings: Hashable, Sendable {
    /// Checks that run at once.
    package var inFlight = 4096
    /// Checks that wait; 0 for none.
    package var queue = 1024
    /// The largest body of a batch and of routes, in bytes.
    package var bodyBytes = 16_777_216
    /// The longest `timeout_ms` that a request may ask for.
    package var timeoutMilliseconds = 60_000
}

/// What happens on SIGTERM.
package struct DrainSettings: Hashable, Sendable {
    /// How long work is still taken while `/readyz` fails already.
    package var delayMilliseconds = 0
    /// How long is waited for what was accepted.
    package var limitMilliseconds = 20_000
}

/// What is logged, and how.
package struct LogSettings: Hashable, Sendable {
    /// The names of swift-log.
    package enum Level: String, CaseIterable, Sendable {
        case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, CaseIterable, Sendable {
        case json, text
    }

    package var level = Level.info
    package var format = Format.json
}
