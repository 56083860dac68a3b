/// The right to have one check in flight. Whoever holds it gives it back by letting it go.
public struct Permit: ~Copyable {
    private let admission: Admission

    init(of admission: Admission) {
        self.admission = admission
    }

    deinit {
        admission.release()
    }
}

/// What came of asking for a permit.
public enum AdmissionAnswer: ~Copyable {
    case admitted(Permit)
    /// The queue is full: an overload of ours, never the target's failure.
    case full
    /// The task was cancelled while it waited.
    case cancelled
}
