internal import CLinux
public import NetworkTypes
internal import Synchronization

/// Passes one value from any thread to one task, which waits for it until a deadline.
public final class Handover<Value: Sendable>: Sendable {
    public enum WaitResult: Sendable {
        case delivered(Value)
        case deadline, cancelled
    }

    private enum State {
        case empty
        case waiting(UnsafeContinuation<WaitResult, Never>)
        /// The wait ended before it began.
        case ended(WaitResult)
        case done
    }

    private let state = Mutex(State.empty)

    public init() {}

    /// Delivers the value. Call it once, on any thread.
    /// - Returns: false if the wait has already ended; the caller keeps the value.
    @discardableResult
    public func deliver(_ value: Value) -> Bool {
        end(with: .delivered(value))
    }

    /// Waits for the value. Call it once, from a task that prefers the reactor's thread.
    public func wait(
        on reactor: Reactor, until deadline: MonotonicTime, isolation: isolated (any Actor)? = #isolation
    ) async -> WaitResult {
        let timer = startTimer(on: reactor, until: deadline)
        let result = await withTaskCancellationHandler {
            _ = isolation
            return await withUnsafeContinuation { park($0) }
        } onCancel: {
            // This may run while the task's lock is held, when its continuation must not be resumed.
            Task(executorPreference: reactor.thread) { _ = self.end(with: .cancelled) }
        }
        reactor.removeOnThread(timer)
        return result
    }

    private func startTimer(on reactor: Reactor, until deadline: MonotonicTime) -> SlotToken {
        reactor.assumeIsolated { reactor in
            let timer = reactor.makeTimer { [weak self] in _ = self?.end(with: .deadline) }
            if deadline != .distantFuture { reactor.arm(timer, at: deadline) }
            return timer
        }
    }

    // SAFETY of the continuation: `state` leaves `waiting` under the lock. Only the caller that changes it resumes the
    // continuation.

    private func park(_ continuation: UnsafeContinuation<WaitResult, Never>) {
        let result = state.withLock { state -> WaitResult? in
            if case .ended(let result) = state {
                state = .done
                return result
            }
            state = .waiting(continuation)
            return nil
        }
        if let result { continuation.resume(returning: result) }
    }

    private func end(with result: WaitResult) -> Bool {
        let (isTaken, continuation) = state.withLock {
            state -> (Bool, UnsafeContinuation<WaitResult, Never>?) in
            switch state {
            case .empty:
                state = .ended(result)
                return (true, nil)
            case .waiting(let continuation):
                state = .done
                return (true, continuation)
            case .ended, .done:
                return (false, nil)
            }
        }
        continuation?.resume(returning: result)
        return isTaken
    }
}

/// Runs work that may block on a separate thread.
public enum BackgroundThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Runs the work on a new, detached thread.
    /// - Throws: EAGAIN if the system allows no more threads; the work does not run then.
    public static func run(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        let argument = Unmanaged.passRetained(Work(body))
        var handle = pthread_t()
        let result = pthread_create(
            &handle, nil,
            { argument in
                // SAFETY: the pointer comes from `passRetained` above, and is taken back once, here.
                if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw Errno(result)
        }
        pthread_detach(handle)
    }
}
