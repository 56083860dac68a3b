internal import DequeModule
internal import SocketIO
internal import Synchronization

/// Limits the checks in flight, the queue of waiting checks (first come, first served), and their sockets.
///
/// A permit covers a check and one socket. A check that tries several addresses at once requests each further socket here
/// before it opens it (`SocketShare`). Further sockets are limited to a part of all, so that some always remain for checks of
/// one address.
public final class Admission: Sendable {
    private struct Waiter {
        let identifier: UInt64
        let continuation: UnsafeContinuation<Bool, Never>
    }

    private struct State {
        var inFlight = 0
        var queue = Deque<Waiter>()
        var nextIdentifier: UInt64 = 0
        /// Waiters that have not reached the queue yet; true if one was cancelled before.
        var arriving: [UInt64: Bool] = [:]
        /// Sockets of checks beside the one of each permit.
        var furtherSockets = 0
        /// Checks that wait for one of their first few further sockets, at most one entry for each check.
        var modestQueue = Deque<SocketRequest>()
        /// Checks that have a few further sockets already.
        var greedyQueue = Deque<SocketRequest>()
    }

    /// How many checks may be in flight.
    public let limit: Int
    /// How many may wait.
    public let queueLimit: Int
    /// How many sockets all checks may have, further sockets included.
    public let socketLimit: Int
    /// How many of these may be further sockets.
    public let furtherSocketLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: checks in flight, at least 1.
    ///   - queueLimit: checks that may wait; with 0, a check that gets no permit at once is rejected.
    ///   - socketLimit: the sockets of all checks; nil for `wantedSockets(for: limit)`.
    public init(limit: Int, queueLimit: Int, socketLimit: Int? = nil) {
        self.limit = limit
        self.queueLimit = queueLimit
        let socketLimit = max(socketLimit ?? Self.wantedSockets(for: limit), 1)
        self.socketLimit = socketLimit
        // If sockets are scarce, half of them are reserved for checks of one address.
        furtherSocketLimit = min(Self.mostFurtherSockets(for: limit), max(socketLimit - limit, socketLimit / 2))
    }

    /// How many sockets that many checks need. More would only cost memory.
    public static func wantedSockets(for limit: Int) -> Int { limit + mostFurtherSockets(for: limit) }

    /// A check has at most 128 addresses: a single check can try all of them at once.
    private static func mostFurtherSockets(for limit: Int) -> Int { max(limit / 2, 128) }

    public var inFlight: Int { state.withLock { $0.inFlight } }

    public var queued: Int { state.withLock { $0.queue.count } }

    /// Sockets of checks beside the one of each permit.
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

    /// Waits for a permit, after all checks that came earlier.
    public func acquire() async -> AdmissionAnswer {
        let place = state.withLock { state -> Place in
            if hasRoom(state), state.queue.isEmpty {
                state.inFlight += 1
                return .admitted
            }
            guard state.queue.count + state.arriving.count < queueLimit else { return .full }
            state.nextIdentifier += 1
            state.arriving[state.nextIdentifier] = false
            return .queued(state.nextIdentifier)
        }
        switch place {
        case .admitted: return .admitted(Permit(of: self))
        case .full: return .full
        case .queued(let identifier):
            return await wait(as: identifier) ? .admitted(Permit(of: self)) : .cancelled
        }
    }

    private enum Place {
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
                // In neither place: it got its permit at the same moment, and keeps it.
                if state.arriving[identifier] != nil { state.arriving[identifier] = true }
                return nil
            }
            return state.queue.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }

    // MARK: What becomes free

    /// The waiting request that receives what has become free.
    private enum Grant {
        case permit(Waiter)
        case socket(SocketRequest)
    }

    /// Takes a permit back, and grants what is free to the next waiter.
    func release() {
        hand(
            state.withLock { state in
                state.inFlight -= 1
                return nextGrant(&state)
            })
    }

    /// Permits come first, because a check that waits for a further socket can continue with the one that it has.
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
        return nil
    }

    private func hand(_ grant: Grant?) {
        var grant = grant
        while let granted = grant {
            var isTaken = true
            switch granted {
            case .permit(let waiter): waiter.continuation.resume(returning: true)
            case .socket(let request): isTaken = request.answer.deliver(true)
            }
            grant = state.withLock { state in
                if !isTaken { state.furtherSockets -= 1 }
                return nextGrant(&state)
            }
        }
    }

    // MARK: Further sockets

    /// The first few sockets of a check may use all further sockets, the others only half of them. So a check of two or three
    /// addresses gets some next to a check of a hundred.
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
        hand(
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
        hand(
            state.withLock { state in
                state.furtherSockets -= count
                return nextGrant(&state)
            })
    }
}

/// The right to have one check in flight. Its end of life returns it.
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
