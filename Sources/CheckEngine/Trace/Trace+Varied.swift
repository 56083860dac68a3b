internal import CheckModel
internal import NetworkTypes
internal import SocketIO

// Probes of all TTLs at once, each from its own port.
extension Trace {
    private enum Event {
        case probed(ttl: Int, ProbeOutcome)
        case tick
    }

    /// The most sockets that a trace has at once.
    private static let mostSockets = 32
    /// How many probes are sent in one tick. A trace to a near target then sends it few probes with larger TTLs.
    private static let burst = 8
    private static let tickNanoseconds: Int64 = 20_000_000
    /// How often each hop is asked again to find other paths, and with how many probes each time. Linux answers six
    /// probes at once, and one a second after that.
    private static let comparisons = [2, 3]

    /// Probes the path. If the answers contradict each other, it ends soon.
    func probeAllAtOnce() async {
        // The check's permit covers one.
        let sockets = 1 + share.takeAtOnce(upTo: min(options.maxTTL, Self.mostSockets) - 1)
        let begin = Clock.now()
        await send(Array(1...options.maxTTL), using: sockets) { $0.patience }
        var answers = 1
        for (round, count) in Self.comparisons.enumerated() {
            // The last hop is not asked again: it is the target, or a router that rejects.
            let last = varied.end.map { $0 - 1 } ?? varied.lastAnswered
            let hops = last < 1 ? [] : (1...last).filter { varied.answerCount(at: $0) == answers }
            // Once contradicted, one comparison shows enough of the other paths.
            guard !hops.isEmpty, round == 0 || !varied.isContradictory, !isOver else { break }
            await send(Array(repeating: hops, count: count).flatMap { $0 }, using: sockets) {
                2 * ($0.slowestNanoseconds ?? 0) + 30_000_000
            }
            answers += count
        }
        let repetition = begin.advanced(byNanoseconds: Self.pauseBeforeRepetition)
        guard !varied.silent.isEmpty, !varied.isContradictory, refusal == nil, repetition < deadline,
            await plan.reactor.sleep(until: repetition) == .deadline
        else { return }
        await send(varied.silent, using: sockets) { $0.patience }
    }

    /// Sends a probe with each of the TTLs, and waits for the answers.
    /// - Parameters:
    ///   - ttls: in the order of sending; those after the end of the path are left out, once it is known.
    ///   - patience: how long to wait after the last probe, in nanoseconds.
    private func send(_ ttls: [Int], using sockets: Int, patience: (Trace) -> Int64) async {
        await withTaskGroup(of: Event.self) { group in
            var volley = TraceVolley(ttls)
            var lastSent = Clock.now()
            addTick(to: &group)
            addProbes(volley.take(min(Self.burst, sockets)), to: &group)
            while let event = await group.next() {
                let now = Clock.now()
                switch event {
                case .probed(let ttl, let outcome):
                    volley.noteEnd(of: ttl)
                    note(outcome, at: ttl)
                    progress.show(varied)
                case .tick:
                    addTick(to: &group)
                    let next = volley.take(min(Self.burst, sockets - volley.pending.count))
                    addProbes(next, to: &group)
                    if !next.isEmpty { lastSent = now }
                }
                volley.leaveOut(after: varied.end, gapAfter: varied.lastAnswered)
                let isLate = volley.hasSentAll && now.since(lastSent) >= patience(self)
                if volley.isOver || isLate || isOver || refusal != nil { break }
            }
            group.cancelAll()
        }
    }

    private func addTick(to group: inout TaskGroup<Event>) {
        let end = min(Clock.now().advanced(byNanoseconds: Self.tickNanoseconds), deadline)
        group.addTask { [plan] in
            _ = await plan.reactor.sleep(until: end)
            return .tick
        }
    }

    private func addProbes(_ ttls: [Int], to group: inout TaskGroup<Event>) {
        let patience = min(Self.longestPatience, max(deadline.since(Clock.now()), 0))
        for ttl in ttls {
            varied.noteSent(ttl)
            group.addTask { [probe] in
                .probed(ttl: ttl, await probe.run(ttl: ttl, patience: patience))
            }
        }
    }

    private func note(_ outcome: ProbeOutcome, at ttl: Int) {
        switch outcome {
        case .answered(let answer): varied.note(answer, at: ttl)
        case .unsent(let error):
            varied.noteUnsent(ttl)
            if !error.isExhaustion { refusal = error }
        case .silent, .cancelled: break
        }
    }
}

/// The probes that are still to be sent, and those without an outcome. It does no I/O.
struct TraceVolley {
    private var rest: [Int]
    private(set) var pending: [Int] = []
    private var end = Int.max
    /// TTLs whose probes had no answer for as long as a probe waits.
    private var ended: Set<Int> = []

    init(_ ttls: [Int]) {
        rest = ttls
    }

    /// Takes the next probes to send.
    mutating func take(_ count: Int) -> [Int] {
        let next = Array(rest.prefix(max(count, 0)))
        rest.removeFirst(next.count)
        pending += next
        return next
    }

    mutating func noteEnd(of ttl: Int) {
        ended.insert(ttl)
        if let index = pending.firstIndex(of: ttl) { pending.remove(at: index) }
    }

    /// Leaves out the TTLs after the end of the path, and those after so many silent ones that the trace ends there.
    /// - Parameter last: the last TTL that answered.
    mutating func leaveOut(after end: Int?, gapAfter last: Int) {
        if let end { self.end = end }
        let silentTTLs = (last + 1)...(last + TraceReport.silentHopLimit)
        let isGap = silentTTLs.allSatisfy { ended.contains($0) }
        rest.removeAll { $0 > self.end || isGap }
    }

    var hasSentAll: Bool { rest.isEmpty }

    /// Whether no outcome that matters is missing.
    var isOver: Bool { rest.isEmpty && pending.allSatisfy { $0 > end } }
}
