internal import CheckEngine

/// Whether the service should be sent work, and what is missing for it.
struct Readiness {
    /// Whether the monitors are not known yet.
    let isStarting: Bool
    let isDraining: Bool
    /// Required monitors that are not up.
    let missing: [CheckEngine.Monitor]

    var isReady: Bool { !isStarting && !isDraining && missing.isEmpty }

    init(isStarting: Bool, isDraining: Bool, monitors: [CheckEngine.Monitor]) {
        self.isStarting = isStarting
        self.isDraining = isDraining
        missing = monitors.filter { $0.definition.isRequired && $0.state != .up }
    }
}
