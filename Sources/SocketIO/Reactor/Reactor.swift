internal import CLinux
public import NetworkTypes
internal import Synchronization

/// An event loop: one epoll set and one heap of timers on one thread. Each worker has one.
///
/// Descriptors are registered once, edge-triggered; an event without a waiter stays in its slot until the next wait.
/// There are no locks: the actor runs only on its thread.
///
/// The loop calls jobs, participants and handlers, which may call back into the reactor. So no stored property is
/// accessed during such a call. Each step returns what to call next.
public actor Reactor {
    public nonisolated let thread: ReactorThread
    nonisolated let epoll: Descriptor
    /// The waits and their deadlines.
    nonisolated let waits: ThreadBound<WaitTable>
    private var participants: [any TurnParticipant] = []
    private var events = [epoll_event](repeating: epoll_event(), count: 1024)
    private nonisolated let stopRequested = Atomic<Bool>(false)
    private nonisolated let checksOfTurn = Atomic<Int>(0)
    private nonisolated let turns = Atomic<UInt64>(0)
    private nonisolated let stalled = Atomic<UInt64>(0)
    /// When the loop must run again at the latest, in nanoseconds of CLOCK_MONOTONIC; 0 if nothing waits for a deadline.
    private var due: UInt64 = 0

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    public init(thread: ReactorThread) throws(Errno) {
        self.thread = thread
        waits = ThreadBound(WaitTable(), thread: thread)
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

    /// `addOnThread`, from any task.
    public func add(_ descriptor: Int32, for interest: Readiness) throws(Errno) -> SlotToken {
        try addOnThread(descriptor, for: interest)
    }

    /// `removeOnThread`, from any task.
    public func remove(_ token: SlotToken) {
        removeOnThread(token)
    }

    /// `waitOnThread`, from any task: closures run in this actor's isolation, not on the thread that the task prefers.
    public func wait(
        _ token: SlotToken, for interest: Readiness, until deadline: MonotonicTime
    ) async -> WaitOutcome {
        let number: UInt32
        switch waits.with({ $0.begin(token, for: interest) }) {
        case .over(let outcome): return outcome
        case .waiting(let waiting): number = waiting
        }
        if Task.isCancelled { return .cancelled }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { park($0, at: token, for: interest, until: deadline) }
        } onCancel: {
            cancelLater(token, wait: number)
        }
    }

    private func park(
        _ continuation: UnsafeContinuation<WaitOutcome, Never>, at token: SlotToken, for interest: Readiness,
        until deadline: MonotonicTime
    ) {
        waits.with { $0.park(continuation, at: token, for: interest, until: deadline) }
    }

    /// Waits for a point in time; `ready` is never returned.
    public func sleep(until deadline: MonotonicTime) async -> WaitOutcome {
        let token = waits.with { $0.slots.take() }
        defer { remove(token) }
        return await wait(token, for: [], until: deadline)
    }

    /// Ends one wait soon. It may be called on any thread, and with the task's own lock held. So it must not resume the
    /// continuation itself.
    nonisolated func cancelLater(_ token: SlotToken, wait number: UInt32) {
        Task(executorPreference: thread) { await self.cancel(token, wait: number) }
    }

    /// Ends one wait unless it has already ended; a later wait on the same slot is not affected.
    private func cancel(_ token: SlotToken, wait number: UInt32) {
        waits.with { $0.unpark(token, wait: number) }?.resume(returning: .cancelled)
    }

    // MARK: Callbacks, for C libraries with their own descriptors and timers

    /// Calls `handler` on the reactor's thread whenever the descriptor is ready.
    /// - Parameter edgeTriggered: false repeats the call in every turn as long as the descriptor is ready.
    public func watch(
        _ descriptor: Int32, for interest: Readiness, edgeTriggered: Bool,
        handler: @escaping @Sendable (Readiness) -> Void
    ) throws(Errno) -> SlotToken {
        let token = waits.with { $0.slots.take(handler: handler) }
        let edge = edgeTriggered ? connectd_epoll_edge : 0
        try control(EPOLL_CTL_ADD, descriptor, interest.rawValue | edge, token)
        return token
    }

    /// Changes the events of a watch. Events that are already ready are reported again.
    /// - Throws: ENOENT if the watch has ended.
    public func modify(
        _ token: SlotToken, _ descriptor: Int32, for interest: Readiness, edgeTriggered: Bool = false
    ) throws(Errno) {
        guard waits.with({ $0.slots.isCurrent(token) }) else { throw Errno(ENOENT) }
        let edge = edgeTriggered ? connectd_epoll_edge : 0
        try control(EPOLL_CTL_MOD, descriptor, interest.rawValue | edge, token)
    }

    /// Ends a watch. The descriptor must still be open. Does nothing for a watch that has ended: its number may belong
    /// to another descriptor.
    public func unwatch(_ token: SlotToken, _ descriptor: Int32) {
        guard waits.with({ $0.slots.isCurrent(token) }) else { return }
        _ = connectd_epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor, 0, 0)
        remove(token)
    }

    /// Makes a timer; `arm` sets it, any number of times, and `remove` ends it.
    public func makeTimer(handler: @escaping @Sendable () -> Void) -> SlotToken {
        waits.with { $0.slots.take(handler: { _ in handler() }) }
    }

    /// Sets the next call of a timer; nil disables it.
    public func arm(_ timer: SlotToken, at deadline: MonotonicTime?) {
        guard waits.with({ $0.slots.isCurrent(timer) }) else { return }
        waits.with { waits in
            if let deadline {
                waits.timers.schedule(timer.index, at: deadline.nanoseconds)
            } else {
                waits.timers.cancel(timer.index)
            }
        }
    }

    /// Adds a participant, which is called in every turn for the lifetime of the reactor.
    public func add(_ participant: some TurnParticipant) {
        participants.append(participant)
    }

    nonisolated func control(
        _ operation: Int32, _ descriptor: Int32, _ events: UInt32, _ token: SlotToken
    ) throws(Errno) {
        guard connectd_epoll_ctl(epoll.rawValue, operation, descriptor, events, token.packed) == 0 else {
            let error = Errno.current
            if operation == EPOLL_CTL_ADD { removeOnThread(token) }
            throw error
        }
    }

    /// Counts work that arrived during this turn, and returns the count including this one.
    public nonisolated func noteCheck() -> Int {
        checksOfTurn.add(1, ordering: .relaxed).newValue
    }

    /// How many turns the loop has had. Work that may be more than one turn should hold is limited by it.
    public nonisolated var turnCount: UInt64 { turns.load(ordering: .relaxed) }

    /// For how long the loop did not run although it had to, in nanoseconds since its start: the process was stopped or got
    /// no processor time, or a job took long. Stalls of less than a quarter second do not count.
    ///
    /// Read before and after a wait, it tells whether a deadline says anything about the peer.
    public nonisolated var stalledNanoseconds: UInt64 { stalled.load(ordering: .relaxed) }

    // MARK: The loop

    /// Runs the loop on the calling thread until `stop`.
    public nonisolated func run() {
        thread.adoptCurrentThread()
        // Once for all turns, because the runtime's isolation check costs more than most of a turn.
        assumeIsolated { reactor in
            while !stopRequested.load(ordering: .acquiring) {
                reactor.turn()
            }
            reactor.end()
        }
        thread.abandonCurrentThread()
    }

    /// Ends the loop, from any thread. Every wait ends as `cancelled`, and its task runs until its next wait. A job
    /// that is enqueued after that never runs.
    public nonisolated func stop() {
        stopRequested.store(true, ordering: .releasing)
        thread.wake()
    }

    private func end() {
        let (continuations, handlers) = waits.with { $0.end() }
        for continuation in continuations { continuation.resume(returning: .cancelled) }
        runJobs()
        // Participants and handlers refer to actors that refer to the reactor. This breaks those reference cycles.
        let others = participants
        participants = []
        _ = (consume others, consume handlers)
    }

    /// Runs jobs, then participants, until neither has work left. Then waits once, and handles the events.
    private func turn() {
        var wish = UInt64.max
        var rounds = 0
        repeat {
            runJobs()
            wish = takeTurns()
            rounds += 1
        } while thread.hasJobs && rounds < 16
        checksOfTurn.store(0, ordering: .relaxed)
        // Only this thread writes it.
        turns.store(turns.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        poll(until: min(wish, waits.with { $0.timers.next } ?? .max))
        fireTimers()
    }

    /// The jobs belong to this actor or to other actors on the same thread. None is re-entered, because the loop holds
    /// no access during the call.
    private func runJobs() {
        thread.runJobs()
    }

    /// By index, so that a participant that another one adds gets its first turn before the loop sleeps.
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
        // A stop after this check makes the wakeup descriptor ready, so the wait ends at once.
        let maySleep = !stopRequested.load(ordering: .acquiring) && thread.prepareToSleep()
        let wait = maySleep ? interval(until: deadline) : 0
        var count = connectd_epoll_wait(epoll.rawValue, &events, Int32(events.count), wait)
        // EINTR, for example after SIGCONT. What happened until now must be known before a deadline fires.
        if count < 0 { count = connectd_epoll_wait(epoll.rawValue, &events, Int32(events.count), 0) }
        if maySleep { thread.woke() }
        for index in 0..<Int(max(count, 0)) {
            dispatch(events[index])
        }
    }

    private func interval(until deadline: UInt64) -> Int64 {
        if deadline == .max {
            due = 0
            return -1
        }
        let now = Clock.now().nanoseconds
        noteStall(at: now)
        let pause = deadline <= now ? 0 : min(deadline - now, Self.longestPause)
        due = now + pause
        return Int64(pause)
    }

    /// Without it, a stall within a long wait would not be noticed.
    private static let longestPause: UInt64 = 500_000_000
    private static let shortestStall: UInt64 = 250_000_000

    private func noteStall(at now: UInt64) {
        guard due > 0, now > due + Self.shortestStall else { return }
        // Only this thread writes it.
        stalled.store(stalled.load(ordering: .relaxed) &+ (now - due), ordering: .relaxed)
    }

    private func dispatch(_ event: epoll_event) {
        let packed = withUnsafePointer(to: event) { connectd_epoll_token($0) }
        if packed == Self.wakeupToken { return thread.clearWakeup() }
        let token = SlotToken(packed: packed)
        switch waits.with({ $0.deliver(Readiness(rawValue: event.events), to: token) }) {
        case .noWaiter:
            break
        case .resume(let continuation):
            continuation.resume(returning: .ready)
        case .call(let handler, let readiness):
            handler(readiness)
        }
    }

    private func fireTimers() {
        guard let next = waits.with({ $0.timers.next }) else {
            // The event that came meanwhile may have ended the only wait.
            if due > 0 { noteStall(at: Clock.now().nanoseconds) }
            due = 0
            return
        }
        let now = Clock.now().nanoseconds
        noteStall(at: now)
        due = now
        guard next <= now else { return }
        // A handler that arms its timer in the past again is called in the next turn, after the sockets.
        var budget = waits.with { $0.timers.count }
        var calls = 0
        while budget > 0, calls < Self.callsOfTurn, let delivery = waits.with({ $0.expireNext(at: now) }) {
            budget -= 1
            switch delivery {
            case .noWaiter:
                break
            case .resume(let continuation):
                continuation.resume(returning: .deadline)
            case .call(let handler, let readiness):
                calls += 1
                handler(readiness)
            }
        }
    }

    /// Handlers of expired timers that are called before the sockets have their turn again: each may end a check.
    private static let callsOfTurn = 64
}
