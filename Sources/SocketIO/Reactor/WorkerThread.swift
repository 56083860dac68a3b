internal import CLinux
public import CheckModel

/// A POSIX thread that runs a reactor's loop: pthread_create(3).
///
/// The thread inherits the signal mask of whoever starts it: block what it shall not see before.
/// Whoever gives this value up waits until the thread has ended: not on the reactor's own thread.
public struct WorkerThread: ~Copyable {
    private let handle: pthread_t
    private let reactor: Reactor

    /// Starts the thread.
    /// - Throws: EAGAIN where the system allows no more threads.
    public init(running reactor: Reactor) throws(Errno) {
        var handle = pthread_t()
        let argument = Unmanaged.passRetained(reactor)
        let result = pthread_create(&handle, nil, runReactor, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw Errno(result)
        }
        self.handle = handle
        self.reactor = reactor
    }

    deinit {
        reactor.stop()
        pthread_join(handle, nil)
    }

    /// Stops the reactor and waits until its thread has ended.
    public consuming func stopAndJoin() {
        // `deinit` does it, here and on every other way out.
    }
}

private func runReactor(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    // SAFETY: the pointer comes from `passRetained` in the initialiser, and is taken back once, here.
    Unmanaged<Reactor>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
