internal import CheckModel
internal import SocketIO

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
