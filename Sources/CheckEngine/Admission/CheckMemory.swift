internal import CheckModel
internal import DequeModule
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// The memory of checks beyond what every check needs, in bytes: TLS, dialogs, presets, traces, and results that wait for
/// the repetition of their check.
///
/// A check that finds no room waits, first come, first served. A plain check needs none, and never waits here.
public final class CheckMemory: Sendable {
    private struct State {
        var held = 0
        var refusals: UInt64 = 0
        var queue = Deque<MemoryRequest>()
    }

    public let limitBytes: Int
    private let state = Mutex(State())

    /// - Parameter limitBytes: at least 1; `Int.max` for no limit.
    public init(limitBytes: Int = .max) {
        self.limitBytes = max(limitBytes, 1)
    }

    /// Bytes that are held now.
    public var heldBytes: Int { state.withLock { $0.held } }

    /// How many checks wait for memory.
    public var waitingCount: Int { state.withLock { $0.queue.count } }

    /// How many checks got no memory, since the start.
    public var refusalCount: UInt64 { state.withLock { $0.refusals } }

    /// Whether a check would have to wait for its memory, although as many wait as may.
    func isFull(for bytes: Int, queueLimit: Int) -> Bool {
        state.withLock { state in
            let mustWait = !state.queue.isEmpty || !hasRoom(for: min(bytes, limitBytes), state)
            return mustWait && state.queue.count >= queueLimit
        }
    }

    /// Counts a check that got no memory.
    func noteRefusal() {
        state.withLock { $0.refusals += 1 }
    }

    /// Takes memory if there is room for it, whether or not a check waits: for what is small, and cannot wait.
    func leaseAtOnce(_ bytes: Int) -> MemoryLease? {
        leaseAtOnce(bytes, beforeOthers: true)
    }

    /// - Parameter beforeOthers: whether it may be taken while checks wait.
    private func leaseAtOnce(_ bytes: Int, beforeOthers: Bool) -> MemoryLease? {
        let isTaken = state.withLock { state in
            guard beforeOthers || state.queue.isEmpty, hasRoom(for: bytes, state) else { return false }
            state.held += bytes
            return true
        }
        return isTaken ? MemoryLease(bytes, of: self) : nil
    }

    func release(_ bytes: Int) {
        deliver(
            state.withLock { state in
                state.held -= bytes
                return nextGrant(&state)
            })
    }

    /// Waits for memory. Call it from a task that prefers the reactor's thread.
    /// - Parameters:
    ///   - bytes: more than the limit counts as the limit, so that every check can run alone.
    ///   - deadline: when the wait ends.
    /// - Returns: nil at the deadline, and if the task is canceled.
    func lease(_ bytes: Int, on reactor: Reactor, until deadline: MonotonicTime = .distantFuture) async -> MemoryLease?
    {
        let bytes = min(bytes, limitBytes)
        if let lease = leaseAtOnce(bytes, beforeOthers: false) { return lease }
        let request = MemoryRequest(bytes)
        deliver(
            state.withLock { state in
                state.queue.append(request)
                return nextGrant(&state)
            })
        switch await request.answer.wait(on: reactor, until: deadline) {
        case .delivered: return MemoryLease(bytes, of: self)
        case .deadline, .cancelled:
            withdraw(request)
            return nil
        }
    }

    private func hasRoom(for bytes: Int, _ state: borrowing State) -> Bool {
        bytes <= limitBytes - state.held
    }

    private func nextGrant(_ state: inout State) -> MemoryRequest? {
        guard let first = state.queue.first, hasRoom(for: first.bytes, state) else { return nil }
        state.held += first.bytes
        return state.queue.removeFirst()
    }

    /// Outside of the lock, because an answer can resume a task that asks for more.
    private func deliver(_ grant: MemoryRequest?) {
        var grant = grant
        while let granted = grant {
            let isTaken = granted.answer.deliver(())
            grant = state.withLock { state in
                if !isTaken { state.held -= granted.bytes }
                return nextGrant(&state)
            }
        }
    }

    /// The checks that come next may need less.
    private func withdraw(_ request: MemoryRequest) {
        deliver(
            state.withLock { state in
                state.queue.removeAll { $0 === request }
                return nextGrant(&state)
            })
    }
}

/// Memory that a check holds. Its deinit returns it.
final class MemoryLease: Sendable {
    private let memory: CheckMemory
    private let bytes: Int

    fileprivate init(_ bytes: Int, of memory: CheckMemory) {
        self.bytes = bytes
        self.memory = memory
    }

    deinit { memory.release(bytes) }
}

/// One check that waits for memory.
private final class MemoryRequest: Sendable {
    let bytes: Int
    let answer = Handover<Void>()

    init(_ bytes: Int) {
        self.bytes = bytes
    }
}

/// What the phases and results of checks hold, in bytes, as measured.
enum CheckMemoryCost {
    /// OpenSSL's state of a connection, the peer's certificates, and the report.
    static let tls = 64 << 10
    /// What the peer has sent and no step has matched, and the transcript.
    static let dialog = 96 << 10
    /// What a group can put into a step that sends it.
    static let group = 64 << 10
    /// The longest text of a step with its groups.
    static let filledSteps = 1 << 20
    /// The sockets and observations of a trace.
    static let trace = 32 << 10
    /// One of many attempts of a check, with its result.
    static let attempt = 3 << 9
    /// The result of a check that is to be repeated.
    static let repeated = 2 << 10
}

extension PreparedCheck {
    /// What one attempt of this check holds after its connect, in bytes: 0 for a plain check.
    var phaseBytes: Int {
        var bytes = 0
        if request.tls != nil || request.target.impliesTLS { bytes += CheckMemoryCost.tls }
        if !request.dialog.isEmpty || dialog != nil { bytes += dialogBytes }
        return bytes
    }

    private var dialogBytes: Int {
        let groups = request.dialog.reduce(0) { $0 + $1.groupCount }
        let tls = request.tls == nil && request.dialog.contains(.startTLS) ? CheckMemoryCost.tls : 0
        return CheckMemoryCost.dialog + min(groups * CheckMemoryCost.group, CheckMemoryCost.filledSteps) + tls
    }

    /// What the check itself holds from its start, in bytes. Attempts that run at the same time add theirs.
    ///
    /// Not inlined: the frames of functions that wait would contain a copy of the request.
    var bytesAtStart: Int {
        @inline(never) get {
            (runsOneAttemptAtOnce ? phaseBytes : 0) + (request.trace == nil ? 0 : CheckMemoryCost.trace)
        }
    }

    /// Whether its attempts follow one another, so that one of them at a time is after its connect.
    var runsOneAttemptAtOnce: Bool { request.resolve.addresses == .first }
}

extension DialogStep {
    /// How many groups of earlier matches it may send.
    fileprivate var groupCount: Int {
        switch self {
        case .send(let text): text.utf8.count { $0 == UInt8(ascii: "$") }
        case .sendExpanded(let template): template.count { $0 == UInt8(ascii: "$") }
        case .expect, .expectBytes, .expectLine, .expectExactly, .sendBytes, .reject, .startTLS, .startTLSAgain: 0
        }
    }
}
