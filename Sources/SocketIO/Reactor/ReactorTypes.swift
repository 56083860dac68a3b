internal import CLinux

/// A place in the reactor's table: the generation tells a slot from its earlier use, so a late event of a closed
/// descriptor is never taken for one of the next.
package struct SlotToken: Hashable, Sendable {
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

/// What is wanted of a descriptor, or what it is ready for: the flags of epoll_ctl(2).
package struct Readiness: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let readable = Readiness(rawValue: connectd_epoll_in)
    package static let writable = Readiness(rawValue: connectd_epoll_out)
    package static let error = Readiness(rawValue: connectd_epoll_err)
    package static let hangUp = Readiness(rawValue: connectd_epoll_hup)
    /// The peer has shut down its writing half.
    package static let peerClosed = Readiness(rawValue: connectd_epoll_rdhup)
}

/// How a wait ended.
package enum WaitOutcome: Sendable {
    case ready, deadline, cancelled
}

/// Somebody who wants to work in every turn of the loop, as the HTTP server's library does.
package protocol TurnParticipant: Sendable {
    /// Called on the reactor's thread once or more in each turn.
    /// - Returns: when it needs its next turn at the latest (CLOCK_MONOTONIC nanoseconds); 0 for at once, `UInt64.max` for never.
    func takeTurn() -> UInt64
}
