internal import CheckModel
internal import NetworkTypes

/// The answers to the probes of a trace, by TTL. It does no I/O.
struct TraceObservations {
    /// For each TTL that was probed, its answers in the order of their arrival.
    private var answers: [Int: [ProbeAnswer]] = [:]
    private var probed: Set<Int> = []

    mutating func noteSent(_ ttl: Int) {
        probed.insert(ttl)
    }

    mutating func noteUnsent(_ ttl: Int) {
        if answers[ttl] == nil { probed.remove(ttl) }
    }

    mutating func note(_ answer: ProbeAnswer, at ttl: Int) {
        probed.insert(ttl)
        answers[ttl, default: []].append(answer)
    }

    /// The largest TTL that was probed; 0 if none was.
    var largestProbed: Int { probed.max() ?? 0 }

    /// The largest TTL that has an answer, up to the end of the path; 0 if none has.
    var lastAnswered: Int { end ?? answers.keys.max() ?? 0 }

    /// The smallest TTL at which the path ended; nil if none did.
    var end: Int? { answers.lazy.filter { $0.value.contains { $0.stop != nil } }.map(\.key).min() }

    /// The answer at which the path ended.
    var finalAnswer: ProbeAnswer? { end.flatMap { answers[$0]?.first { $0.stop != nil } } }

    func hasAnswer(at ttl: Int) -> Bool { answers[ttl] != nil }

    func answerCount(at ttl: Int) -> Int { answers[ttl]?.count ?? 0 }

    /// The longest time that an answer took; nil without any answer.
    var slowestNanoseconds: Int64? { answers.values.lazy.flatMap { $0 }.map(\.rttNanoseconds).max() }

    /// The probed TTLs without an answer before the end of the path, or up to `silentHopLimit` after the last answer.
    var silent: [Int] {
        let limit = end ?? min(largestProbed, lastAnswered + TraceReport.silentHopLimit)
        return probed.filter { $0 <= limit && answers[$0] == nil }.sorted()
    }

    /// Whether as many TTLs in a row as end a trace have no answer, after the last one that has.
    var endsInGap: Bool { end == nil && largestProbed - lastAnswered >= TraceReport.silentHopLimit }

    /// Whether the answers cannot all be from one path: two senders at one TTL, one router at two TTLs, or a router
    /// after the end of the path.
    var isContradictory: Bool {
        let end = end ?? .max
        var places: [IPAddress: Int] = [:]
        for (ttl, answers) in answers {
            if Set(answers.map(\.from)).count > 1 || Set(answers.map { $0.stop == nil }).count > 1 { return true }
            guard let answer = answers.first, answer.kind == .timeExceeded else { continue }
            if ttl > end || places.updateValue(ttl, forKey: answer.from) != nil { return true }
        }
        return false
    }

    /// The hops up to the end of the path, each with its first answer.
    /// - Parameter others: answers of other paths, whose senders are the hops' `others`.
    func hops(others: TraceObservations? = nil) -> [TraceHop] {
        let last = end ?? min(largestProbed, lastAnswered + TraceReport.silentHopLimit)
        return last < 1 ? [] : (1...last).map { hop(at: $0, others: others) }
    }

    func hop(at ttl: Int, others: TraceObservations? = nil) -> TraceHop {
        var hop = TraceHop(ttl: ttl)
        let found = answers[ttl] ?? []
        // At the end of the path, the answer that ends it.
        if let answer = ttl == end ? finalAnswer : found.first {
            hop.from = answer.from
            hop.rttNanoseconds = answer.rttNanoseconds
            hop.icmp = answer.icmp
            hop.stop = answer.stop
        }
        for address in (found + (others?.answers[ttl] ?? [])).map(\.from)
        where address != hop.from && !hop.others.contains(address) {
            hop.others.append(address)
        }
        return hop
    }
}

extension TraceObservations {
    /// Why a trace with these answers ends.
    /// - Parameters:
    ///   - isOver: whether it has timed out.
    ///   - hasNoRoute: whether this machine could not send to the target.
    func stop(isOver: Bool, hasNoRoute: Bool) -> TraceStop {
        if let stop = finalAnswer?.stop { return stop }
        if hasNoRoute { return .unreachable }
        if endsInGap { return .gap }
        return isOver ? .deadline : .maxTTL
    }
}
