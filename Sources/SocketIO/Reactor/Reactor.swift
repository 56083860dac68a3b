internal import CLinux
package import CheckModel
internal import Synchronization

/// One epoll set and one heap of timers, on one thread: everything that a worker waits for.
///
/// Descriptors are registered once, edge-triggered; an event without a waiter stays in its slot until somebody waits.
/// Nothing here is locked: the actor runs on its thread only.
///
/// The loop calls out to jobs, participants and handlers, all of which may call back into the reactor. So it never holds
/// an access to a stored property over a call-out: each bookkeeping step ends, and returns what is to be called.
package actor Reactor {
    package nonisolated let thread: ReactorThread
    private let epoll: Descriptor
    private var slots = SlotTable()
    private var timers = TimerHeap()
    private var participants: [any TurnParticipant] = []
    private var events = [epoll_event](repeating: epoll_event(), count: 1024)
    /// The loop has ended: nobody would end a wait any more.
    private var hasEnded = false
    private nonisolated let stopRequested = Atomic<Bool>(false)
    private nonisolated let checksOfTurn = Atomic<Int>(0)

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    package init(thread: ReactorThread) throws(Errno) {
        self.thread = thread
        let number = epoll_create1(Int32(connectd_sock_cloexec))
        guard number >= 0 else { throw .current }
        epoll = Descriptor(adopting: number)
        guard
            connectd_epoll_ctl(
                number, EPOLL_CTL_ADD, thread.wakeupNumber, connectd_epoll_in, Self.wakeupToken) == 0
        else { throw .current }
    }

    private static let wakeupToken = UInt64.max

    // MARK: Waiting

    /// Registers a descriptor, edge-triggered, for as long as it is open.
    ///
    /// The descriptor stays the caller's; `remove` has to be called before it is closed.
    /// - Throws: ENOMEM or ENOSPC, where the kernel's limit of watches is reached.
    package func add(_ descriptor: Int32, for interest: Readiness) throws(Errno) -> SlotToken {
        let token = slots.take()
        try control(EPOLL_CTL_ADD, descriptor, interest.rawValue | connectd_epoll_edge, token)
        return token
    }

    /// Forgets a descriptor that is about to be closed, which takes it out of the epoll set. Nobody may wait for it.
    /// Nothing happens for a token that was removed before, whoever may have its place now.
    package func remove(_ token: SlotToken) {
        guard slots.isCurrent(token) else { return }
        timers.cancel(token.index)
        let handler = slots.release(token)
        // The last reference to what a handler captured may be given up here: then its `deinit` runs, and may call back.
        _ = consume handler
    }

    /// Waits until the descriptor is ready, or the deadline has come, or the task is cancelled.
    ///
    /// Errors and hang-ups end every wait as `ready`. Readiness that a wait has reported is forgotten: use the
    /// descriptor until it says EAGAIN before you wait again. A reactor that has ended answers `cancelled`.
    package func wait(
        _ token: SlotToken, for interest: Readiness, until deadline: MonotonicTime
    ) async -> WaitOutcome {
        if slots.consumeReadiness(of: token, interest: interest) { return .ready }
        if Task.isCancelled || hasEnded { return .cancelled }
        let number = slots.beginWait(at: token)
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                slots.park(continuation, at: token, interest: interest)
                if deadline != .distantFuture { timers.schedule(token.index, at: deadline.nanoseconds) }
            }
        } onCancel: {
            // On any thread, and with the task's own lock held: the continuation must not be resumed from here.
            Task(executorPreference: thread) { await self.cancel(token, wait: number) }
        }
    }

    /// Waits for a point in time; `ready` is never returned.
    package func sleep(until deadline: MonotonicTime) async -> WaitOutcome {
        let token = slots.take()
        defer { remove(token) }
        return await wait(token, for: [], until: deadline)
    }

    /// Ends one wait, unless it has ended by itself meanwhile; a later wait on the same slot is none of its business.
    private func cancel(_ token: SlotToken, wait number: UInt32) {
        guard let continuation = slots.unpark(token, wait: number) else { return }
        timers.cancel(token.index)
        continuation.resume(returning: .cancelled)
    }

    // MARK: Call-backs, for C libraries that have descriptors and timers of their own

    /// Calls `handler` on the reactor's thread whenever the descriptor is ready.
    /// - Parameter edgeTriggered: false repeats the call in every turn as long as the descriptor is ready.
    package func watch(
        _ descriptor: Int32, for interest: Readiness, edgeTriggered: Bool,
        handler: @escaping @Sendable (Readiness) -> Void
    ) throws(Errno) -> SlotToken {
        let token = slots.take(handler: handler)
        let edge = edgeTriggered ? connectd_epoll_edge : 0
        try control(EPOLL_CTL_ADD, descriptor, interest.rawValue | edge, token)
        return token
    }

    /// Changes what a level-triggered watch waits for.
    /// - Throws: ENOENT where the watch has ended.
    package func modify(_ token: SlotToken, _ descriptor: Int32, for interest: Readiness) throws(Errno) {
        guard slots.isCurrent(token) else { throw Errno(ENOENT) }
        try control(EPOLL_CTL_MOD, descriptor, interest.rawValue, token)
    }

    /// Ends a watch. The descriptor has to be open still. Nothing happens for a watch that has ended: its number may
    /// belong to another descriptor by now.
    package func unwatch(_ token: SlotToken, _ descriptor: Int32) {
        guard slots.isCurrent(token) else { return }
        _ = connectd_epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor, 0, 0)
        remove(token)
    }

    /// A timer of one's own; `arm` sets it, as often as needed, and `remove` ends it.
    package func makeTimer(handler: @escaping @Sendable () -> Void) -> SlotToken {
        slots.take(handler: { _ in handler() })
    }

    /// Sets a timer's next call; nil switches it off.
    package func arm(_ timer: SlotToken, at deadline: MonotonicTime?) {
        guard slots.isCurrent(timer) else { return }
        if let deadline {
            timers.schedule(timer.index, at: deadline.nanoseconds)
        } else {
            timers.cancel(timer.index)
        }
    }

    /// Adds somebody who works in every turn; for the life of the reactor.
    package func add(_ participant: some TurnParticipant) {
        participants.append(participant)
    }

    private func control(
        _ operation: Int32, _ descriptor: Int32, _ events: UInt32, _ token: SlotToken
    ) throws(Errno) {
        guard connectd_epoll_ctl(epoll.rawValue, operation, descriptor, events, token.packed) == 0 else {
            let error = Errno.current
            if operation == EPOLL_CTL_ADD { remove(token) }
            throw error
        }
    }

    /// Counts a piece of work that came in during this turn: how many there were, this one included.
    package nonisolated func noteCheck() -> Int {
        checksOfTurn.add(1, ordering: .relaxed).newValue
    }

    // MARK: The loop

    /// Makes the calling thread the reactor's own, and serves until `stop`.
    package nonisolated func run() {
        thread.adoptCurrentThread()
        while !stopRequested.load(ordering: .acquiring) {
            assumeIsolated { $0.turn() }
        }
        assumeIsolated { $0.end() }
        thread.abandonCurrentThread()
    }

    /// Ends the loop, from any thread. Every wait ends as `cancelled`, and the tasks behind them run as far as they come
    /// without another wait; a job that is enqueued after that is never run.
    package nonisolated func stop() {
        stopRequested.store(true, ordering: .releasing)
        thread.wake()
    }

    private func end() {
        hasEnded = true
        let (continuations, handlers) = slots.takeAll()
        for continuation in continuations { continuation.resume(returning: .cancelled) }
        timers = TimerHeap()
        runJobs()
        // Participants and handlers refer to actors that refer to the reactor: these circles end here.
        let others = participants
        participants = []
        _ = (consume others, consume handlers)
    }

    /// Jobs, then participants, until both are content; then one wait, and its events.
    private func turn() {
        var wish = UInt64.max
        var rounds = 0
        repeat {
            runJobs()
            wish = takeTurns()
            rounds += 1
        } while thread.hasJobs && rounds < 16
        checksOfTurn.store(0, ordering: .relaxed)
        poll(until: min(wish, timers.next ?? .max))
        fireTimers()
    }

    /// The jobs are this actor's, or those of its siblings on the same thread: none is re-entered, since the loop holds
    /// nothing over the call.
    private func runJobs() {
        thread.runJobs()
    }

    /// By index: a participant that is added by another one has its first turn before the loop sleeps.
    private func takeTurns() -> UInt64 {
        var wish = UInt64.max
        var index = 0
        while index < participants.count {
            wish = min(wish, participants[index].takeTurn())
            index += 1
        }
        return wish
    }

    private func poll(until deadline: UInt64) {
        // A stop that comes after this look finds the wakeup descriptor ready: the wait ends at once.
        let maySleep = !stopRequested.load(ordering: .acquiring) && thread.prepareToSleep()
        let wait = maySleep ? Self.interval(until: deadline) : 0
        let count = connectd_epoll_wait(epoll.rawValue, &events, Int32(events.count), wait)
        if maySleep { thread.woke() }
        // EINTR and nothing are alike: the loop looks again.
        for index in 0..<Int(max(count, 0)) {
            dispatch(events[index])
        }
    }

    private static func interval(until deadline: UInt64) -> Int64 {
        if deadline == .max { return -1 }
        let now = Clock.now().nanoseconds
        return deadline <= now ? 0 : Int64(min(deadline - now, UInt64(Int64.max)))
    }

    private func dispatch(_ event: epoll_event) {
        let packed = withUnsafePointer(to: event) { connectd_epoll_token($0) }
        if packed == Self.wakeupToken { return thread.clearWakeup() }
        let token = SlotToken(packed: packed)
        switch slots.deliver(Readiness(rawValue: event.events), to: token) {
        case .nobody:
            break
        case .resume(let continuation):
            timers.cancel(token.index)
            continuation.resume(returning: .ready)
        case .call(let handler, let readiness):
            handler(readiness)
        }
    }

    private func fireTimers() {
        guard let next = timers.next else { return }
        let now = Clock.now().nanoseconds
        guard next <= now else { return }
        // A handler that sets its timer into the past again gets its next call in the next turn, behind the sockets.
        var budget = timers.count
        while budget > 0, let index = timers.popExpired(at: now) {
            budget -= 1
            switch slots.expire(index) {
            case .nobody:
                break
            case .resume(let continuation):
                continuation.resume(returning: .deadline)
            case .call(let handler, let readiness):
                handler(readiness)
            }
        }
    }
}
