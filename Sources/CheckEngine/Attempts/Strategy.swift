internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// The strategies for several addresses of one name.
enum Strategy {
    /// Tries one address after another until one connects. Each gets an equal share of the remaining time.
    static func first(
        _ endpoints: [Endpoint], by plan: AttemptPlan, until deadline: MonotonicTime
    ) async -> [AttemptOutcome] {
        var outcomes: [AttemptOutcome] = []
        for (index, endpoint) in endpoints.enumerated() {
            let now = Clock.now()
            let left = max(deadline.since(now) - reserved(for: plan, untried: endpoints.count - index), 0)
            let share = now.advanced(byNanoseconds: left / Int64(endpoints.count - index))
            outcomes.append(await ConnectAttempt(plan: plan, endpoint: endpoint, deadline: share).run())
            if outcomes[index].endsCheck || Clock.now() >= deadline { break }
        }
        return outcomes
    }

    /// The time that a hold needs after the connect, in nanoseconds: no address but the last may use it for its connect.
    private static func reserved(for plan: AttemptPlan, untried: Int) -> Int64 {
        untried > 1 ? Int64(plan.request.holdMilliseconds) * 1_000_000 : 0
    }
}

extension AttemptOutcome {
    /// Whether no further address is tried: this one connected, or the check was cancelled.
    var endsCheck: Bool {
        result.outcome.isSuccess || result.outcome == .failed(.cancelled)
    }
}

/// Tries all addresses at once. If sockets are scarce, the rest wait until sockets become free.
struct AllAtOnce {
    let plan: AttemptPlan
    let endpoints: [Endpoint]
    let deadline: MonotonicTime

    private enum Event {
        case finished(Int, AttemptOutcome)
        /// Whether one more socket may be opened.
        case socket(Bool)
    }

    /// Returns one outcome for each address, in the order of the addresses.
    func run() async -> [AttemptOutcome] {
        var outcomes = [AttemptOutcome?](repeating: nil, count: endpoints.count)
        await withTaskGroup(of: Event.self) { group in
            let share = SocketShare(of: plan.admission)
            var started = 0
            // The check's permit covers one.
            var free = 1 + share.takeAtOnce(upTo: endpoints.count - 1)
            var mayAsk = true
            start(&started, &free, hasWaited: false, in: &group)
            ask(share, started, mayAsk, in: &group)
            while let event = await group.next() {
                switch event {
                case .finished(let index, let outcome):
                    outcomes[index] = outcome
                    free += 1
                case .socket(let isGranted):
                    share.noteAnswer(isGranted)
                    free += isGranted ? 1 : 0
                    mayAsk = isGranted
                }
                start(&started, &free, hasWaited: true, in: &group)
                if started == endpoints.count { share.withdrawRequest() }
                if free > 0 {
                    share.giveBack(free)
                    free = 0
                }
                ask(share, started, mayAsk, in: &group)
            }
        }
        return outcomes.enumerated().map { $1 ?? plan.untried(endpoints[$0]) }
    }

    /// Starts as many attempts as there are free sockets. The first one always starts, so that it can report why it ends.
    private func start(
        _ started: inout Int, _ free: inout Int, hasWaited: Bool, in group: inout TaskGroup<Event>
    ) {
        while free > 0, started < endpoints.count, started == 0 || (!group.isCancelled && Clock.now() < deadline) {
            let index = started
            started += 1
            free -= 1
            group.addTask { [self] in
                .finished(index, await plan.attempt(endpoints[index], until: deadline, hasWaited: hasWaited))
            }
        }
    }

    /// Requests one more socket if an address waits for one. A check has one request at a time, so that checks take turns.
    private func ask(_ share: SocketShare, _ started: Int, _ mayAsk: Bool, in group: inout TaskGroup<Event>) {
        guard started < endpoints.count, mayAsk, !share.isWaiting, !group.isCancelled, Clock.now() < deadline else {
            return
        }
        let request = share.requestOne()
        group.addTask { [plan, deadline] in
            .socket(await request.isGranted(on: plan.reactor, of: plan.admission, until: deadline))
        }
    }
}

// Attempts that share the sockets of their check.
extension AttemptPlan {
    /// Runs one attempt. If it waited so long for its socket that less than half of the check's time was left, a timeout
    /// says nothing about the target.
    /// - Parameter hasWaited: whether it had to wait for its socket.
    func attempt(
        _ endpoint: Endpoint, until deadline: MonotonicTime, hasWaited: Bool
    ) async -> AttemptOutcome {
        let now = Clock.now()
        let isLate = hasWaited && deadline.since(now) < now.since(start)
        let outcome = await ConnectAttempt(plan: self, endpoint: endpoint, deadline: deadline).run()
        guard isLate, outcome.result.phase == .connect, outcome.result.error?.source == .deadline else {
            return outcome
        }
        var result = outcome.result
        let report = Classifier.report(for: .proberBusy)
        result.outcome = .failed(report.errorClass)
        result.error = report
        return AttemptOutcome(result: result)
    }

    /// The outcome of an address that got no socket before the deadline, or before the check was cancelled.
    func untried(_ endpoint: Endpoint) -> AttemptOutcome {
        let report = Self.shortage
        var result = AttemptResult(
            endpoint: endpoint, outcome: .failed(report.errorClass), phase: .socket,
            startNanoseconds: Clock.now().since(start))
        result.error = report
        return AttemptOutcome(result: result)
    }
}

/// Happy Eyeballs, RFC 8305 section 5. An attempt starts one Connection Attempt Delay after the previous one, or as soon as
/// that fails. The first that connects wins, and the others are cancelled. A simultaneous attempt needs a further socket: it
/// waits until one is granted, or until another attempt fails.
struct Race {
    let plan: AttemptPlan
    /// Interleaved by family, RFC 8305 section 4.
    let endpoints: [Endpoint]
    let deadline: MonotonicTime

    /// The recommended delay between two attempts, 250 ms.
    private static let attemptDelayMilliseconds = 250

    private enum Event {
        case finished(Int, AttemptOutcome)
        /// The delay after the start of that attempt has passed.
        case delayOver(Int)
        /// Whether one more socket may be opened.
        case socket(Bool)
    }

    func run() async -> [AttemptOutcome] {
        await withTaskGroup(of: Event.self) { group in
            let share = SocketShare(of: plan.admission)
            var finished: [(Int, AttemptOutcome)] = []
            var started = 0
            var lacksSocket = false
            start(&started, in: &group)
            while let event = await group.next() {
                switch event {
                case .finished(let index, let outcome):
                    finished.append((index, outcome))
                    if outcome.endsCheck {
                        group.cancelAll()
                    } else {
                        start(&started, hasWaited: share.isWaiting || lacksSocket, in: &group)
                    }
                    if finished.count == started {
                        group.cancelAll()
                        share.withdrawRequest()
                    }
                case .delayOver(let index):
                    guard index == started - 1, !share.isWaiting else { break }
                    if share.takeAtOnce(upTo: 1) == 1 {
                        start(&started, in: &group)
                    } else {
                        ask(share, in: &group)
                    }
                case .socket(let isGranted):
                    share.noteAnswer(isGranted)
                    lacksSocket = !isGranted
                    if isGranted { start(&started, hasWaited: true, in: &group) }
                }
            }
            let isWon = finished.contains { $0.1.endsCheck }
            if lacksSocket, !isWon, started < endpoints.count {
                finished.append((started, plan.untried(endpoints[started])))
            }
            return finished.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func start(_ started: inout Int, hasWaited: Bool = false, in group: inout TaskGroup<Event>) {
        // The first attempt is made even if the check was cancelled: a check has at least one attempt, which reports this.
        // An attempt that fails at the deadline does not start another one.
        guard started < endpoints.count, started == 0 || (!group.isCancelled && Clock.now() < deadline) else { return }
        let index = started
        let endpoint = endpoints[index]
        started += 1
        group.addTask { [plan, deadline] in
            .finished(index, await plan.attempt(endpoint, until: deadline, hasWaited: hasWaited))
        }
        guard started < endpoints.count else { return }
        group.addTask { [plan] in
            let end = Clock.now().advanced(byMilliseconds: Self.attemptDelayMilliseconds)
            return await plan.reactor.sleep(until: end) == .deadline ? .delayOver(index) : .delayOver(-1)
        }
    }

    private func ask(_ share: SocketShare, in group: inout TaskGroup<Event>) {
        guard !group.isCancelled else { return }
        let request = share.requestOne()
        group.addTask { [plan, deadline] in
            .socket(await request.isGranted(on: plan.reactor, of: plan.admission, until: deadline))
        }
    }
}
