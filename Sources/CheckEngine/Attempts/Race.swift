internal import CheckModel
internal import SocketIO

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
