import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// How several addresses of one name are tried.
enum Strategy {
    /// One after another, until one connects. Each has an equal share of the time that is left.
    static func first(
        _ endpoints: [Endpoint], by plan: AttemptPlan, until deadline: MonotonicTime
    ) async -> [AttemptOutcome] {
        var outcomes: [AttemptOutcome] = []
        for (index, endpoint) in endpoints.enumerated() {
            let now = Clock.now()
            let left = max(deadline.since(now), 0)
            let share = now.advanced(byNanoseconds: left / Int64(endpoints.count - index))
            outcomes.append(await ConnectAttempt(plan: plan, endpoint: endpoint, deadline: share).run())
            if outcomes[index].endsCheck || Clock.now() >= deadline { break }
        }
        return outcomes
    }
}

extension AttemptOutcome {
    /// Whether no further address is tried: one connected, or nobody waits for the answer any more.
    var endsCheck: Bool {
        result.outcome.isSuccess || result.outcome == .failed(.cancelled)
    }
}

/// Every address at once, as far as there are sockets; the others take their turn as sockets become free.
struct AllAtOnce {
    let plan: AttemptPlan
    let endpoints: [Endpoint]
    let deadline: MonotonicTime

    private enum Event {
        case finished(Int, AttemptOutcome)
        /// Whether one more socket may be opened.
        case socket(Bool)
    }

    /// The results come in the order of the addresses, one for each.
    func run() async -> [AttemptOutcome] {
        var outcomes = [AttemptOutcome?](repeating: nil, count: endpoints.count)
        await withTaskGroup(of: Event.self) { group in
            let share = SocketShare(of: plan.admission)
            var started = 0
            // The check's permit stands for one.
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

    /// Starts as many attempts as there are free sockets. The first one is made whatever happens: it says why it ends.
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

    /// Asks for one more socket where an address waits for it; one request at a time, so that checks take turns.
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

// Attempts that share out the sockets of their check.
extension AttemptPlan {
    /// One attempt. Where it had to wait for its socket so long that less than half of the check's time was left, its
    /// silence says nothing about the target.
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

    /// An address that found no socket until the deadline, or until the check was cancelled.
    func untried(_ endpoint: Endpoint) -> AttemptOutcome {
        let report = Classifier.report(for: Task.isCancelled ? .cancelled : .proberBusy)
        var result = AttemptResult(
            endpoint: endpoint, outcome: .failed(report.errorClass), phase: .socket,
            startNanoseconds: Clock.now().since(start))
        result.error = report
        return AttemptOutcome(result: result)
    }
}

/// Happy Eyeballs, RFC 8305 section 5: attempts start one Connection Attempt Delay apart, or as soon as the one before has
/// failed; the first that connects wins, and the others are given up. An attempt beside another one needs a socket of its
/// own: without one it waits for that, or for the place of one that fails.
struct Race {
    let plan: AttemptPlan
    /// Interleaved by family, RFC 8305 section 4.
    let endpoints: [Endpoint]
    let deadline: MonotonicTime

    /// The recommended delay between two attempts, 250 ms.
    private static let attemptDelayMilliseconds = 250

    private enum Event {
        case finished(Int, AttemptOutcome)
        /// The delay behind the start of that attempt is over.
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
        // The first attempt is made even where nobody waits any more: it says so, and a check has at least one.
        // One that fails at the deadline makes no room for another.
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
