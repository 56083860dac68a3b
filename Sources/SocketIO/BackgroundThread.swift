internal import CLinux
public import CheckModel

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
