internal import CLinux

/// A place in the reactor's table: the generation tells a slot from its earlier use, so a late event of a closed
/// descriptor is never taken for one of the next.
public struct SlotToken: Hashable, Sendable {
    let index: UInt32
    let generation: UInt32

    var packed: UInt64 { UInt64(generation) << 32 | UInt64(index) }

    init(index: UInt32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    init(packed: UInt64) {
        self.init(index: UInt32(truncatingIfNeeded: packed), generation: UInt32(truncatingIfNeeded: packed >> 32))
    }
}

/// The events of a descriptor that a wait is for, or that are ready: the flags of epoll_ctl(2).
public struct Readiness: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let readable = Readiness(rawValue: connectd_epoll_in)
    public static let writable = Readiness(rawValue: connectd_epoll_out)
    public static let error = Readiness(rawValue: connectd_epoll_err)
    public static let hangUp = Readiness(rawValue: connectd_epoll_hup)
    /// The peer has shut down its writing half.
    public static let peerClosed = Readiness(rawValue: connectd_epoll_rdhup)
    /// Whatever can happen to a connection. A constant: an array of flags would be put together anew by generic code.
    public static let anything: Readiness = [.readable, .writable, .peerClosed]
}

/// The result of a wait.
public enum WaitOutcome: Sendable {
    case ready, deadline, cancelled
}

/// A participant that is called in every turn of the loop, such as the HTTP server's library.
public protocol TurnParticipant: Sendable {
    /// Called on the reactor's thread once or more in each turn.
    /// - Returns: The latest time of its next turn (CLOCK_MONOTONIC nanoseconds); 0 for immediately, `UInt64.max` for
    ///   never.
    func takeTurn() -> UInt64
}

/// A value that belongs to one reactor's thread; access on any other thread traps.
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

    /// Lends the value during the call. Call it only on the reactor's thread, and not from within `body`.
    @inline(__always)
    public func with<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result
    {
        precondition(thread.isCurrent, "not on the reactor's thread")
        return try body(&value)
    }
}
