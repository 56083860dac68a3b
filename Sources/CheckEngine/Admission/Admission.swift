internal import DequeModule
internal import SocketIO
internal import Synchronization

/// Limits the checks in flight, the waiting checks (first come, first served), and the sockets of all checks.
///
/// A permit covers a check and one socket. A check that tries several addresses at once requests each further socket
/// here before it opens it (`SocketShare`). Further sockets are limited to a part of all sockets, so that some always
/// remain for checks of one address.
public final class Admission: Sendable {
    private struct Waiter {
        let identifier: UInt64
        let continuation: UnsafeContinuation<Bool, Never>
    }

    private struct State {
        var inFlight = 0
        var queue = Deque<Waiter>()
        var nextIdentifier: UInt64 = 0
        /// Waiters that are not in the queue yet. The value is true if the waiter was cancelled before it got there.
        var arriving: [UInt64: Bool] = [:]
        /// Sockets of checks in addition to the one that each permit covers.
        var furtherSockets = 0
        /// Checks that wait for one of their first few further sockets. Each check has at most one entry.
        var modestQueue = Deque<SocketRequest>()
        /// Checks that wait for one more, and already have a few.
        var greedyQueue = Deque<SocketRequest>()
        var batches = BatchPermits()
    }

    /// How many checks may be in flight.
    public let limit: Int
    /// How many may wait.
    public let queueLimit: Int
    /// How many sockets all checks may have, further sockets included.
    public let socketLimit: Int
    /// How many of these may be further sockets.
    public let furtherSocketLimit: Int
    /// How many permits all batches together may have. The others remain for single checks.
    public let batchLimit: Int
    /// What checks hold beyond what every check needs.
    public let memory: CheckMemory
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: checks in flight, at least 1.
    ///   - queueLimit: checks that may wait; with 0, a check that gets no permit at once is rejected.
    ///   - socketLimit: the sockets of all checks; nil for `wantedSockets(for: limit)`.
    ///   - batchLimit: the permits of all batches together; nil leaves a sixteenth to single checks.
    ///   - memory: without a limit by default, for the command line.
    public init(
        limit: Int, queueLimit: Int, socketLimit: Int? = nil, batchLimit: Int? = nil,
        memory: CheckMemory = CheckMemory()
    ) {
        self.limit = limit
        self.memory = memory
        self.queueLimit = queueLimit
        let socketLimit = max(socketLimit ?? Self.wantedSockets(for: limit), 1)
        self.socketLimit = socketLimit
        // If sockets are scarce, half of them are reserved for checks of one address.
        furtherSocketLimit = min(Self.mostFurtherSockets(for: limit), max(socketLimit - limit, socketLimit / 2))
        self.batchLimit = batchLimit ?? (limit > 1 ? limit - max(limit / 16, 1) : limit)
    }

    /// How many sockets that many checks need. More would only cost memory.
    public static func wantedSockets(for limit: Int) -> Int { limit + mostFurtherSockets(for: limit) }

    /// A check has at most 128 addresses. This number lets a single check try all of them at once.
    private static func mostFurtherSockets(for limit: Int) -> Int { max(limit / 2, 128) }

    public var inFlight: Int { state.withLock { $0.inFlight } }

    public var queued: Int { state.withLock { $0.queue.count } }

    /// Sockets of checks in addition to the one that each permit covers.
    public var furtherSockets: Int { state.withLock { $0.furtherSockets } }

    private func hasRoom(_ state: borrowing State) -> Bool {
        state.inFlight < limit && state.inFlight + state.furtherSockets < socketLimit
    }

    /// Takes a permit if one is free and no check waits; nil otherwise.
    public func acquireAtOnce() -> Permit? {
        let isAdmitted = state.withLock { state in
            guard hasRoom(state), state.queue.isEmpty else { return false }
            state.inFlight += 1
            return true
        }
        return isAdmitted ? Permit(of: self) : nil
    }

    /// Waits for a permit. Checks that came earlier get theirs first.
    public func acquire() async -> AdmissionAnswer {
        let position = state.withLock { state -> QueuePosition in
            if hasRoom(state), state.queue.isEmpty {
                state.inFlight += 1
                return .admitted
            }
            guard state.queue.count + state.arriving.count < queueLimit else { return .full }
            state.nextIdentifier += 1
            state.arriving[state.nextIdentifier] = false
            return .queued(state.nextIdentifier)
        }
        switch position {
        case .admitted: return .admitted(Permit(of: self))
        case .full: return .full
        case .queued(let identifier):
            return await wait(as: identifier) ? .admitted(Permit(of: self)) : .cancelled
        }
    }

    private enum QueuePosition {
        case admitted, full
        case queued(UInt64)
    }

    private func wait(as identifier: UInt64) async -> Bool {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if state.arriving.removeValue(forKey: identifier) == true { return false }
                    if hasRoom(state), state.queue.isEmpty {
                        state.inFlight += 1
                        return true
                    }
                    state.queue.append(Waiter(identifier: identifier, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            leave(identifier)
        }
    }

    private func leave(_ identifier: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.queue.firstIndex(where: { $0.identifier == identifier }) else {
                // If it is not arriving either, it got its permit at the same moment, and keeps it.
                if state.arriving[identifier] != nil { state.arriving[identifier] = true }
                return nil
            }
            return state.queue.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }

    // MARK: Grants

    /// The waiting request that receives a free permit or socket.
    private enum Grant {
        case permit(Waiter)
        case socket(SocketRequest)
        /// A batch may ask again: this tells it.
        case batch(@Sendable () -> Void)
    }

    /// Takes a permit back, and grants free permits and sockets to the next waiters.
    func release() {
        deliver(
            state.withLock { state in
                state.inFlight -= 1
                return nextGrant(&state)
            })
    }

    /// Permits come first: a check that waits for a further socket can continue with the one that it has.
    private func nextGrant(_ state: inout State) -> Grant? {
        if !state.queue.isEmpty, hasRoom(state), let next = state.queue.popFirst() {
            state.inFlight += 1
            return .permit(next)
        }
        if let request = state.modestQueue.first, mayHaveSocket(state, holding: request.held) {
            state.modestQueue.removeFirst()
            state.furtherSockets += 1
            return .socket(request)
        }
        if let request = state.greedyQueue.first, mayHaveSocket(state, holding: request.held) {
            state.greedyQueue.removeFirst()
            state.furtherSockets += 1
            return .socket(request)
        }
        guard state.batches.areWaiting, mayBatchHavePermit(state) else { return nil }
        return state.batches.nextWaiting().map(Grant.batch)
    }

    private func deliver(_ grant: Grant?) {
        var grant = grant
        while let granted = grant {
            var isTaken = true
            switch granted {
            case .permit(let waiter): waiter.continuation.resume(returning: true)
            case .socket(let request): isTaken = request.answer.deliver(true)
            case .batch(let tell): tell()
            }
            grant = state.withLock { state in
                if !isTaken { state.furtherSockets -= 1 }
                return nextGrant(&state)
            }
        }
    }

    // MARK: Batches

    private func mayBatchHavePermit(_ state: borrowing State) -> Bool {
        state.queue.isEmpty && hasRoom(state) && state.batches.inFlight < batchLimit
    }

    /// Adds a batch.
    /// - Parameter onPermit: is called on any thread, without a lock, after a permit was refused and may be free now.
    /// - Returns: the batch's number.
    func addBatch(onPermit: @escaping @Sendable () -> Void) -> Int {
        state.withLock { $0.batches.add(onPermit: onPermit) }
    }

    /// Removes a batch that has returned its permits. The others may have its share.
    func removeBatch(_ number: Int) {
        deliver(
            state.withLock { state in
                state.batches.remove(number)
                return nextGrant(&state)
            })
    }

    /// Takes a permit for one more check of a batch.
    /// - Returns: false if there is none for it; `onPermit` then tells when to ask again.
    func takeBatchPermit(_ number: Int) -> Bool {
        state.withLock { state in
            guard mayBatchHavePermit(state), state.batches.isFair(toGrant: number, of: batchLimit) else {
                state.batches.noteWaiting(true, number)
                return false
            }
            state.inFlight += 1
            state.batches.take(number)
            return true
        }
    }

    /// Notes that a batch that was refused a permit needs none for now.
    func endBatchWait(_ number: Int) {
        deliver(
            state.withLock { state in
                state.batches.noteWaiting(false, number)
                return nextGrant(&state)
            })
    }

    /// Whether a batch may use the permit of a check that has ended for its next check.
    func mayKeepBatchPermit(_ number: Int) -> Bool {
        state.withLock { state in
            // Checks that wait for a further socket get one when a permit comes back.
            let isSocketNeeded = !state.modestQueue.isEmpty || !state.greedyQueue.isEmpty
            let sockets = state.inFlight + state.furtherSockets + (isSocketNeeded ? 1 : 0)
            return state.queue.isEmpty && sockets <= socketLimit
                && state.batches.isFair(toKeep: number, of: batchLimit)
        }
    }

    func releaseBatchPermit(_ number: Int) {
        deliver(
            state.withLock { state in
                state.inFlight -= 1
                state.batches.release(number)
                return nextGrant(&state)
            })
    }

    // MARK: Further sockets

    /// The first few sockets of a check may use all further sockets, the others only half of them. So a check of three
    /// addresses gets some even while another check tries a hundred.
    private static let fewSockets = 3

    private static func isModest(_ held: Int) -> Bool { held < fewSockets }

    private func mayHaveSocket(_ state: borrowing State, holding held: Int) -> Bool {
        let limit = Self.isModest(held) ? furtherSocketLimit : furtherSocketLimit / 2
        return state.furtherSockets < limit && state.inFlight + state.furtherSockets < socketLimit
    }

    /// - Returns: how many of `count` further sockets a check that has `held` may open now.
    func takeSocketsAtOnce(upTo count: Int, holding held: Int) -> Int {
        state.withLock { state in
            guard state.queue.isEmpty, state.modestQueue.isEmpty else { return 0 }
            var taken = 0
            while taken < count, mayHaveSocket(state, holding: held + taken),
                Self.isModest(held + taken) || state.greedyQueue.isEmpty
            {
                state.furtherSockets += 1
                taken += 1
            }
            return taken
        }
    }

    /// Puts a check in the queue for one further socket.
    func enqueue(_ request: SocketRequest) {
        deliver(
            state.withLock { state in
                if Self.isModest(request.held) {
                    state.modestQueue.append(request)
                } else {
                    state.greedyQueue.append(request)
                }
                return nextGrant(&state)
            })
    }

    /// Removes a check from that queue, if it is still there.
    func withdraw(_ request: SocketRequest) {
        state.withLock { state in
            if let index = state.modestQueue.firstIndex(where: { $0 === request }) {
                state.modestQueue.remove(at: index)
            } else if let index = state.greedyQueue.firstIndex(where: { $0 === request }) {
                state.greedyQueue.remove(at: index)
            }
        }
    }

    func releaseSockets(_ count: Int) {
        deliver(
            state.withLock { state in
                state.furtherSockets -= count
                return nextGrant(&state)
            })
    }
}

/// The right to have one check in flight. Its deinit returns it.
public struct Permit: ~Copyable {
    private let admission: Admission

    init(of admission: Admission) {
        self.admission = admission
    }

    deinit {
        admission.release()
    }
}

/// The answer to a request for a permit.
public enum AdmissionAnswer: ~Copyable {
    case admitted(Permit)
    /// The queue is full. This is never the target's failure.
    case full
    /// The task was cancelled while it waited.
    case cancelled
}
