internal import CLinux

/// The index of a slot in the reactor's table, with a generation. The generation distinguishes the slot from earlier
/// uses, so a late event of a closed descriptor is never taken for one of its successor.
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

/// A set of events: those that a wait is for, or those that are ready. The raw value has the flags of epoll_ctl(2).
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
    /// All events of a connection. It is a constant, because generic code would build an array of flags on each use.
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
/// It replaces the check of an actor's isolation by a check of the thread. An actor that shares its thread with others
/// can then be used without the runtime's bookkeeping. That bookkeeping runs several times per check, and costs more
/// than the work itself.
public final class ThreadBound<Value>: @unchecked Sendable {
    // SAFETY: only `with` accesses `value`, and it traps on every thread except the one that runs the reactor's loop.
    // So no two threads access it at the same time. `with` passes it inout, and `body` cannot escape, so no access
    // outlives the call. The thread stores its identity before the first access. Starting the thread publishes what
    // `init` stored.
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
