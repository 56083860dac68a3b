import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// Runs the controls, the cases, and the controls again.
///
/// A control that is open only before or only after the cases does not show that the network worked in between.
struct VerifySession {
    /// What a run found. After a signal, some results are missing.
    struct Findings {
        /// The result of each case.
        var results: [CheckResult?]
        /// The results of each control, before and after the cases; nil for one that was not needed.
        var before: [CheckResult?]
        var after: [CheckResult?]
        /// The cases that were repeated slowly.
        var repeated: Set<Int> = []
        /// The controls that some verdict depends on.
        let neededControls: Set<Int>
        var signal: Int32?
    }

    /// An event of the cases, delivered on the calling thread.
    enum Event {
        case finished(CheckResult, of: CheckRequest)
        case willRepeat
        case repeating(round: Int, count: Int)
        case tick
    }

    let plan: VerifyPlan
    let context: CheckContext
    let options: BatchOptions
    /// The controls that some verdict depends on.
    let neededControls: Set<Int>
    /// Whether timeouts that rate-limited ICMP may have caused are repeated, although `options` does not ask for it.
    let repeatsSuspects: Bool
    let tickMilliseconds: Int?

    func run(_ onEvent: (Event) -> Void) throws -> Findings {
        var findings = Findings(
            results: Array(repeating: nil, count: plan.cases.count),
            before: Array(repeating: nil, count: plan.controls.count),
            after: Array(repeating: nil, count: plan.controls.count), neededControls: neededControls)
        findings.signal = try runControls(into: &findings.before, onEvent)
        if findings.signal == nil { findings.signal = try runCases(into: &findings, onEvent) }
        if findings.signal == nil, repeatsSuspects {
            findings.signal = try runSuspects(into: &findings, onEvent)
        }
        if findings.signal == nil { findings.signal = try runControls(into: &findings.after, onEvent) }
        return findings
    }

    private func runControls(into results: inout [CheckResult?], _ onEvent: (Event) -> Void) throws -> Int32? {
        let numbers = neededControls.sorted()
        return try runChecks(CheckList(checks: numbers.map { plan.controls[$0].check }), options) { event in
            switch event {
            case .finished(let index, let result): results[numbers[index]] = result
            case .tick: onEvent(.tick)
            case .willRepeat, .repeating, .idle: break
            }
        }
    }

    private func runCases(into findings: inout Findings, _ onEvent: (Event) -> Void) throws -> Int32? {
        var earlier: [Int: CheckResult] = [:]
        let signal = try runChecks(plan, options) { event in
            switch event {
            case .finished(let index, let result):
                findings.results[index] = result
                // Without time for the repetition, a check keeps the very same result.
                if let first = earlier.removeValue(forKey: index), first !== result { findings.repeated.insert(index) }
                onEvent(.finished(result, of: plan.request(at: index)))
            case .willRepeat(let index, let result):
                earlier[index] = result
                onEvent(.willRepeat)
            case .repeating(let round, let count): onEvent(.repeating(round: round, count: count))
            case .tick: onEvent(.tick)
            case .idle: break
            }
        }
        // If the run is interrupted, the first timeout is what is known.
        for (index, result) in earlier { findings.results[index] = result }
        return signal
    }

    /// Repeats each timeout of an address that sent ICMP errors for other cases, and then slowly what times out again. The
    /// limit of such a sender makes a closed port look blocked.
    private func runSuspects(into findings: inout Findings, _ onEvent: (Event) -> Void) throws -> Int32? {
        let suspects = Self.suspects(in: findings.results)
        guard !suspects.isEmpty else { return nil }
        var slow = options
        slow.timeoutRetries = 1
        var earlier: [Int: CheckResult] = [:]
        return try runChecks(CheckList(checks: suspects.map(plan.check)), slow) { event in
            switch event {
            case .finished(let index, let result):
                findings.results[suspects[index]] = result
                if earlier[index] !== result { findings.repeated.insert(suspects[index]) }
            case .willRepeat(let index, let result): earlier[index] = result
            case .repeating(let round, let count): onEvent(.repeating(round: round, count: count))
            case .tick: onEvent(.tick)
            case .idle: break
            }
        }
    }

    /// The timeouts whose address sent an ICMP error in another result, by index.
    static func suspects(in results: [CheckResult?]) -> [Int] {
        var senders: Set<IPAddress> = []
        for attempt in results.lazy.compactMap({ $0 }).flatMap(\.attempts) {
            if attempt.icmp != nil, attempt.icmpSender == .target, let address = attempt.endpoint.internetAddress {
                senders.insert(address)
            }
        }
        guard !senders.isEmpty else { return [] }
        return results.indices.filter { index in
            guard let result = results[index], result.outcome == .failed(.timeout) else { return false }
            return result.attempts.contains { $0.endpoint.internetAddress.map(senders.contains) ?? false }
        }
    }

    /// - Returns: the signal that ended the run; nil if it is complete.
    private func runChecks(
        _ checks: any CheckSource, _ options: BatchOptions, _ onEvent: (CheckSession.Event) -> Void
    ) throws -> Int32? {
        guard checks.count > 0 else { return nil }
        let session = CheckSession(
            plan: checks, context: context, options: options, tickMilliseconds: tickMilliseconds)
        switch try session.run(onEvent) {
        case .complete: return nil
        case .interrupted(let number): return number
        }
    }
}

/// A few checks in memory.
private struct CheckList: CheckSource {
    let checks: [PreparedCheck]

    var count: Int { checks.count }

    func check(at index: Int) -> PreparedCheck { checks[index] }
}
