public import CheckModel
public import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// One monitor of the running service: its definition and its state.
public final class Monitor: Sendable {
    public let definition: MonitorDefinition
    private let latest: Mutex<MonitorStatus>

    init(_ definition: MonitorDefinition) {
        self.definition = definition
        latest = Mutex(MonitorStatus(nowNanoseconds: Clock.wallNanoseconds()))
    }

    public var status: MonitorStatus { latest.withLock { $0 } }

    /// The state, without a copy of the history.
    public var state: MonitorState { latest.withLock { $0.state } }

    /// The check of the next round. It traces a failure only if that failure would change the state.
    var nextCheck: PreparedCheck {
        let changes = latest.withLock { $0.changesAfterFailure(of: definition) }
        return changes ? definition.check : definition.steadyCheck
    }

    /// What asks other places about this result; nil if it does not need them.
    func confirmation(of result: CheckResult) -> (any MonitorConfirmation)? {
        guard let confirmation = definition.confirmation, !result.ok else { return nil }
        return latest.withLock { $0.needsConfirmation(of: definition) } ? confirmation : nil
    }

    /// - Parameter report: what other places say about a failure; nil if they were not asked.
    /// - Returns: whether the state has changed.
    func note(_ result: CheckResult, confirmedBy report: ConfirmationReport? = nil) -> Bool {
        latest.withLock { $0.note(result, confirmedBy: report, of: definition) }
    }

    func noteSkipped() {
        latest.withLock { $0.noteSkipped() }
    }
}

/// A check that the service repeats by itself: an entry under `monitors` of the configuration.
public struct MonitorDefinition: Sendable {
    /// Unique among the monitors.
    public let name: String
    /// Whether the service is ready only while it is up.
    public let isRequired: Bool
    /// The interval in milliseconds, 100 … 86400000: from the start of one round to the start of the next, unless the
    /// round is still in progress.
    public let intervalMilliseconds: Int
    /// How many successive rounds must be `ok` to make it up, at least 1.
    public let upAfter: Int
    /// How many successive rounds must fail to make it down, at least 1.
    public let downAfter: Int
    public let check: PreparedCheck
    /// Asks other places before the monitor is down; nil if its own rounds decide.
    public let confirmation: (any MonitorConfirmation)?
    /// The same check for rounds whose failure would not change the state: without a trace that is only for failures.
    let steadyCheck: PreparedCheck
    /// The text that the definition was decoded from. A definition with the same text is the same monitor after a
    /// reload, and keeps its history.
    public let source: String

    public init(
        name: String, isRequired: Bool = false, intervalMilliseconds: Int = 10000, upAfter: Int = 1,
        downAfter: Int = 1, check: PreparedCheck, confirmation: (any MonitorConfirmation)? = nil, source: String
    ) {
        self.name = name
        self.isRequired = isRequired
        self.intervalMilliseconds = intervalMilliseconds
        self.upAfter = upAfter
        self.downAfter = downAfter
        self.check = check
        self.confirmation = confirmation
        steadyCheck = Self.withoutTraceOfFailures(check)
        self.source = source
    }

    private static func withoutTraceOfFailures(_ check: PreparedCheck) -> PreparedCheck {
        guard check.request.trace?.when == .onFailure else { return check }
        var request = check.request
        request.trace = nil
        return PreparedCheck(request: request, dialog: check.dialog)
    }
}

/// The state of a monitor's target.
public enum MonitorState: String, CaseIterable, Sendable {
    /// There have not been enough rounds yet.
    case pending
    case up
    /// Rounds here fail, but not enough other places agree.
    case degraded
    case down
}

/// The state of a monitor, computed from its rounds. It does no I/O.
public struct MonitorStatus: Sendable {
    public private(set) var state = MonitorState.pending
    /// When the state began: wall-clock time, nanoseconds since 1970.
    public private(set) var sinceNanoseconds: Int64
    /// Successive rounds up to the latest that were all `ok`, or all not.
    public private(set) var consecutiveCount = 0
    /// The complete result of the latest round.
    public private(set) var lastResult: CheckResult?
    /// The trace of the latest round that had one.
    public private(set) var lastTrace: TraceReport?
    /// What other places said about the present failure; nil if they were not asked.
    public private(set) var confirmation: ConfirmationReport?
    public private(set) var history = MonitorHistory()
    /// Rounds that were skipped because the queue was full. This says nothing about the target.
    public private(set) var skippedCount = 0

    init(nowNanoseconds: Int64) {
        sinceNanoseconds = nowNanoseconds
    }

    /// Adds a round's result.
    /// - Parameter report: what other places say about a failure; nil if they were not asked.
    /// - Returns: whether the state has changed.
    mutating func note(
        _ result: CheckResult, confirmedBy report: ConfirmationReport? = nil, of definition: MonitorDefinition
    ) -> Bool {
        let isSame = lastResult?.ok == result.ok
        consecutiveCount = isSame ? consecutiveCount + 1 : 1
        lastResult = result
        lastTrace = result.trace ?? lastTrace
        history.append(result)
        let needed = result.ok ? definition.upAfter : definition.downAfter
        if let report { confirmation = report }
        let wanted: MonitorState = result.ok ? .up : failedState(of: definition, report)
        guard state != wanted, consecutiveCount >= needed else { return false }
        state = wanted
        if result.ok { confirmation = nil }
        sinceNanoseconds = result.startedAtNanoseconds
        return true
    }

    /// The state after enough failures. A monitor that is down stays down until it is up.
    private func failedState(of definition: MonitorDefinition, _ report: ConfirmationReport?) -> MonitorState {
        guard definition.confirmation != nil, state != .down else { return .down }
        return report?.isConfirmed == true ? .down : .degraded
    }

    /// Whether a failure in the next round would be the one that changes the state from up or pending.
    func changesAfterFailure(of definition: MonitorDefinition) -> Bool {
        state != .degraded && needsConfirmation(of: definition)
    }

    /// Whether a failure in the next round may make the monitor down. A degraded one may become down in each.
    func needsConfirmation(of definition: MonitorDefinition) -> Bool {
        let failures = lastResult?.ok == false ? consecutiveCount : 0
        return state != .down && failures + 1 >= definition.downAfter
    }

    mutating func noteSkipped() {
        skippedCount += 1
    }
}

/// The latest rounds of a monitor, 16 bytes each. The newest replaces the oldest.
public struct MonitorHistory: Sendable {
    /// One round.
    public struct Entry: Hashable, Sendable {
        /// Wall-clock time, milliseconds since 1970.
        public let startedAtMilliseconds: Int64
        /// `timings_ms.total` in microseconds, capped at 2³² − 1 (71 minutes).
        public let totalMicroseconds: UInt32
        public let ok: Bool
        private let outcomeCode: UInt8
        private let errorCode: UInt16

        init(_ result: CheckResult) {
            startedAtMilliseconds = result.startedAtNanoseconds / 1_000_000
            totalMicroseconds = UInt32(clamping: result.timings[.total] / 1000)
            ok = result.ok
            outcomeCode = UInt8(Outcome.all.firstIndex(of: result.outcome) ?? 0)
            errorCode = result.error.map(ErrorCode.init)?.rawValue ?? 0
        }

        public var outcome: Outcome { Outcome.all[Int(outcomeCode)] }
        /// `error.name` of the result; nil for a success.
        public var errorName: String? { ErrorCode(rawValue: errorCode).name }
    }

    public static let capacity = 500

    private var ring: [Entry] = []
    /// The index of the oldest round when the ring is full.
    private var oldest = 0

    public var count: Int { ring.count }

    /// All rounds, oldest first.
    public var entries: [Entry] { Array(ring[oldest...] + ring[..<oldest]) }

    mutating func append(_ result: CheckResult) {
        guard ring.count == Self.capacity else { return ring.append(Entry(result)) }
        ring[oldest] = Entry(result)
        oldest = (oldest + 1) % Self.capacity
    }
}

/// An error's name in two bytes: its index in the catalogue, or an errno that is not in the catalog.
private struct ErrorCode {
    let rawValue: UInt16

    private static let unlisted: UInt16 = 0x8000

    init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    init(_ error: ErrorReport) {
        if let index = ErrnoCatalogue.index(named: error.name) {
            rawValue = UInt16(index + 1)
        } else {
            rawValue = Self.unlisted | UInt16(truncatingIfNeeded: error.errno?.rawValue ?? 0) & ~Self.unlisted
        }
    }

    var name: String? {
        if rawValue == 0 { return nil }
        if rawValue & Self.unlisted == 0 { return ErrnoCatalogue.entries[Int(rawValue) - 1].name }
        return ErrnoCatalogue.entryOrUnknown(for: Errno(Int32(rawValue & ~Self.unlisted))).name
    }
}
