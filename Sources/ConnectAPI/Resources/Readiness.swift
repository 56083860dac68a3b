internal import CheckEngine

/// Whether the service should be sent work, and what is missing for it.
struct Readiness {
    let isDraining: Bool
    /// Required monitors that are not up.
    let missing: [CheckEngine.Monitor]

    var isReady: Bool { !isDraining && missing.isEmpty }

    init(isDraining: Bool, monitors: [CheckEngine.Monitor]) {
        self.isDraining = isDraining
        missing = monitors.filter { $0.definition.isRequired && $0.state != .up }
    }
}
