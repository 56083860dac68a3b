/// A value that lives on one reactor's thread: whoever asks for it anywhere else is stopped.
///
/// What an actor's isolation says, said by the thread itself: an actor that shares its thread with others can be entered
/// without the runtime's bookkeeping, which at several times for each check costs more than what is done inside.
public final class ThreadBound<Value>: @unchecked Sendable {
    // SAFETY: `value` is touched by `with` alone, which traps on every thread but the one that runs the reactor's loop, so
    // no two threads ever touch it at once. `with` passes it inout and `body` cannot escape, so nothing outlives the call.
    // The thread adopts its identity before its first access; what `init` stored was published by starting the thread.
    private var value: Value
    private let thread: ReactorThread

    public init(_ value: Value, thread: ReactorThread) {
        self.value = value
        self.thread = thread
    }

    /// Lends the value for the time of the call; on the reactor's thread only. Not to be called again from within.
    @inline(__always)
    public func with<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result
    {
        precondition(thread.isCurrent, "not on the reactor's thread")
        return try body(&value)
    }
}
