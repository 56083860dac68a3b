/// A phase that is timed, in the order in which results list them.
public enum TimedPhase: Int, CaseIterable, Sendable {
    /// The wait for a permit. It is not part of the check's timeout, but of `total`.
    case queue
    case resolve, connect, hold, tls, dialog
    /// The whole check.
    case total

    /// All phases. Unlike `allCases`, it does not make an array for each call.
    public static let inOrder: [TimedPhase] = allCases

    /// The name in results and metrics.
    public var name: String {
        switch self {
        case .queue: "queue"
        case .resolve: "resolve"
        case .connect: "connect"
        case .hold: "hold"
        case .tls: "tls"
        case .dialog: "dialog"
        case .total: "total"
        }
    }
}

/// How long each phase of a check took, in nanoseconds; 0 for a phase that it did not have.
public struct Timings: Sendable {
    /// One for each `TimedPhase`, by its raw value.
    private var nanoseconds = InlineArray<7, Int64>(repeating: 0)

    public init() {}

    public subscript(phase: TimedPhase) -> Int64 {
        get { nanoseconds[phase.rawValue] }
        set { nanoseconds[phase.rawValue] = newValue }
    }
}

/// What an attempt's phase led to.
public struct PhaseOutcome: Sendable {
    public let phase: TimedPhase
    /// How much of the attempt's time it took, in nanoseconds.
    public let nanoseconds: Int64
    /// nil if the phase ended before it learned anything.
    public let report: PhaseReport?

    public init(_ phase: TimedPhase, nanoseconds: Int64, report: PhaseReport?) {
        self.phase = phase
        self.nanoseconds = nanoseconds
        self.report = report
    }
}

/// What a phase learned about the peer.
public enum PhaseReport: Sendable {
    case hold(HoldReport)
    case tls(TLSReport)
    case dialog(DialogReport)
    /// Of a preset, in the place of a dialog.
    case answer(PresetAnswer)
}

extension CheckResult {
    /// What the handshake showed; nil if none began.
    public var tls: TLSReport? {
        for case .tls(let report) in reports { return report }
        return nil
    }

    /// What happened in the dialog; nil if none began.
    public var dialog: DialogReport? {
        for case .dialog(let report) in reports { return report }
        return nil
    }

    /// What the server answered to the question of a preset; nil if there was none, or no answer.
    public var answer: PresetAnswer? {
        for case .answer(let answer) in reports { return answer }
        return nil
    }
}
