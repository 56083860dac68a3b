import CLinux
public import NetworkTypes
import Synchronization

/// One value that any thread delivers, and that one task waits for until a deadline.
public final class Handover<Value: Sendable>: Sendable {
    public enum Ending: Sendable {
        case delivered(Value)
        case deadline, cancelled
    }

    private enum State {
        case empty
        case waiting(UnsafeContinuation<Ending, Never>)
        /// It ended before anyone waited.
        case ended(Ending)
        case done
    }

    private let state = Mutex(State.empty)

    public init() {}

    /// Delivers the value; from any thread, once.
    /// - Returns: false where the wait has ended already: the value stays with the caller.
    @discardableResult
    public func deliver(_ value: Value) -> Bool {
        end(with: .delivered(value))
    }

    /// Waits for the value; once, from a task that prefers the reactor's thread.
    public func wait(
        on reactor: Reactor, until deadline: MonotonicTime, isolation: isolated (any Actor)? = #isolation
    ) async -> Ending {
        let timer = startTimer(on: reactor, until: deadline)
        let ending = await withTaskCancellationHandler {
            _ = isolation
            return await withUnsafeContinuation { park($0) }
        } onCancel: {
            // This may run with the task's own lock held, where its continuation must not be resumed.
            Task(executorPreference: reactor.thread) { _ = self.end(with: .cancelled) }
        }
        reactor.removeOnThread(timer)
        return ending
    }

    private func startTimer(on reactor: Reactor, until deadline: MonotonicTime) -> SlotToken {
        reactor.assumeIsolated { reactor in
            let timer = reactor.makeTimer { [weak self] in _ = self?.end(with: .deadline) }
            if deadline != .distantFuture { reactor.arm(timer, at: deadline) }
            return timer
        }
    }

    // SAFETY of the continuation: `state` leaves `waiting` under the lock, by the one caller that then resumes it.

    private func park(_ continuation: UnsafeContinuation<Ending, Never>) {
        let ending = state.withLock { state -> Ending? in
            if case .ended(let ending) = state {
                state = .done
                return ending
            }
            state = .waiting(continuation)
            return nil
        }
        if let ending { continuation.resume(returning: ending) }
    }

    private func end(with ending: Ending) -> Bool {
        let (isTaken, continuation) = state.withLock {
            state -> (Bool, UnsafeContinuation<Ending, Never>?) in
            switch state {
            case .empty:
                state = .ended(ending)
                return (true, nil)
            case .waiting(let continuation):
                state = .done
                return (true, continuation)
            case .ended, .done:
                return (false, nil)
            }
        }
        continuation?.resume(returning: ending)
        return isTaken
    }
}

/// A thread for one piece of work that may block.
public enum BackgroundThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Runs the work on a new thread; nobody waits for its end.
    /// - Throws: EAGAIN where the system allows no more threads; the work is not run then.
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
