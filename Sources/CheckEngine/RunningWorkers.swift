internal import SocketIO

/// The threads of a pool, while they run.
public struct RunningWorkers: ~Copyable {
    private var threads: [ThreadBox] = []

    /// An array cannot hold values with one owner yet: a box can.
    private final class ThreadBox {
        var thread: WorkerThread?

        init(_ thread: consuming WorkerThread) {
            self.thread = consume thread
        }
    }

    mutating func add(_ thread: consuming WorkerThread) {
        threads.append(ThreadBox(thread))
    }

    /// Stops all reactors and waits for their threads.
    public consuming func stopAndJoin() {
        for box in threads { box.thread.take()?.stopAndJoin() }
    }
}
