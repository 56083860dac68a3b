internal import DequeModule
internal import Synchronization

/// How many checks are in flight and how many wait for it: both bounded, first come, first served.
public final class Admission: Sendable {
    private struct Waiter {
        let identifier: UInt64
        let continuation: UnsafeContinuation<Bool, Never>
    }

    private struct State {
        var inFlight = 0
        var queue = Deque<Waiter>()
        var nextIdentifier: UInt64 = 0
        /// Who was told to wait and is not in the queue yet; true if their cancellation overtook them.
        var arriving: [UInt64: Bool] = [:]
    }

    /// How many checks may be in flight.
    public let limit: Int
    /// How many may wait.
    public let queueLimit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: checks in flight, at least 1.
    ///   - queueLimit: checks that wait; 0 turns every check away that finds no permit.
    public init(limit: Int, queueLimit: Int) {
        self.limit = limit
        self.queueLimit = queueLimit
    }

    public var inFlight: Int { state.withLock { $0.inFlight } }

    public var queued: Int { state.withLock { $0.queue.count } }

    /// A permit that is to be had without a wait, and without passing anybody who waits; nil otherwise.
    public func acquireAtOnce() -> Permit? {
        let isAdmitted = state.withLock { state in
            guard state.inFlight < limit, state.queue.isEmpty else { return false }
            state.inFlight += 1
            return true
        }
        return isAdmitted ? Permit(of: self) : nil
    }

    /// Waits for a permit, behind everybody who came earlier.
    public func acquire() async -> AdmissionAnswer {
        let place = state.withLock { state -> Place in
            if state.inFlight < limit, state.queue.isEmpty {
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
                    if state.inFlight < limit, state.queue.isEmpty {
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
                // In neither place: it was given its permit at the same moment, and keeps it.
                if state.arriving[identifier] != nil { state.arriving[identifier] = true }
                return nil
            }
            return state.queue.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }

    /// Hands the permit to the first who waits, or takes it out of the count.
    func release() {
        let next = state.withLock { state -> Waiter? in
            if let next = state.queue.popFirst() { return next }
            state.inFlight -= 1
            return nil
        }
        next?.continuation.resume(returning: true)
    }
}
