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
        /// One of the repeated checks has ended.
        case repeated
        /// The state of other checks than the cases; nil when all of them have ended.
        case side(SideProgress?)
        case tick
    }

    let plan: VerifyPlan
    let context: CheckContext
    let options: BatchOptions
    /// The controls that some verdict depends on.
    let neededControls: Set<Int>
    /// Whether timeouts are repeated for each host, because neither file nor flags say how often.
    let repeatsTimeouts: Bool
    let tickMilliseconds: Int?

    func run(_ onEvent: (Event) -> Void) throws -> Findings {
        var findings = Findings(
            results: Array(repeating: nil, count: plan.cases.count),
            before: Array(repeating: nil, count: plan.controls.count),
            after: Array(repeating: nil, count: plan.controls.count), neededControls: neededControls)
        findings.signal = try runControls(into: &findings.before, isAfterCases: false, onEvent)
        if findings.signal == nil { findings.signal = try runCases(into: &findings, onEvent) }
        if findings.signal == nil, repeatsTimeouts {
            findings.signal = try repeatTimeouts(in: &findings, onEvent)
        } else if findings.signal == nil {
            findings.signal = try askNextHops(of: &findings, onEvent)
        }
        if findings.signal == nil {
            findings.signal = try runControls(into: &findings.after, isAfterCases: true, onEvent)
        }
        return findings
    }

    private func runControls(
        into results: inout [CheckResult?], isAfterCases: Bool, _ onEvent: (Event) -> Void
    ) throws -> Int32? {
        let numbers = neededControls.sorted()
        guard !numbers.isEmpty else { return nil }
        let name = "controls \(isAfterCases ? "after" : "before") the cases"
        let checks = numbers.map { PlacedCase(plan.controls[$0]) }
        return try runSideChecks(checks, named: name, options, onEvent) { results[numbers[$0]] = $1 }
    }

    /// As `runChecks`, and shows how many have ended.
    private func runSideChecks(
        _ checks: [PlacedCase], named name: String, _ options: BatchOptions, _ onEvent: (Event) -> Void,
        onResult: (Int, CheckResult) -> Void
    ) throws -> Int32? {
        guard !checks.isEmpty else { return nil }
        var progress = SideProgress(name: name, total: checks.count)
        onEvent(.side(progress))
        defer { onEvent(.side(nil)) }
        return try runChecks(checks, options, onEvent) { index, result in
            onResult(index, result)
            progress.done += 1
            onEvent(.side(progress))
        }
    }

    private func runCases(into findings: inout Findings, _ onEvent: (Event) -> Void) throws -> Int32? {
        var earlier: [Int: CheckResult] = [:]
        let signal = try runChecks(plan, options) { event in
            switch event {
            case .finished(let index, let result, _):
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

    /// How long the kernel needs at most to find that a neighbor does not answer: three requests, one second apart
    /// (arp(7), mcast_solicit). A shorter timeout would hide a dead gateway.
    private static let neighborMilliseconds = 3500

    /// A case's check, with time for an error of the next hop.
    private func patientCheck(at index: Int) -> PlacedCase {
        let check = plan.check(at: index)
        var request = check.request
        request.timeoutMilliseconds = max(request.timeoutMilliseconds, Self.neighborMilliseconds)
        return PlacedCase(
            check: PreparedCheck(request: request, dialog: check.dialog), place: plan.place(at: index),
            body: plan.place(at: index) == nil ? [] : plan.body(at: index, of: request))
    }

    /// Checks once more, with that time, the cases that timed out earlier and were repeated by the file's own number. An
    /// address gets a result of its next hop only if there is an error.
    private func askNextHops(of findings: inout Findings, _ onEvent: (Event) -> Void) throws -> Int32? {
        let hurried = TimeoutRepetition.silent(in: findings.results).mapValues { indices in
            indices.filter { plan.request(at: $0).timeoutMilliseconds < Self.neighborMilliseconds }
        }
        let groups = hurried.values.filter { !$0.isEmpty }.sorted { $0[0] < $1[0] }
        var dead: [Int] = []
        // Only an error counts here, so a timeout needs no repetition.
        var once = options
        once.timeoutRetries = 0
        let checks = groups.map { patientCheck(at: $0[0]) }
        let signal = try runSideChecks(checks, named: "next hops", once, onEvent) { index, result in
            guard result.outcome == .failed(.unreachable) else { return }
            findings.results[groups[index][0]] = result
            dead += groups[index].dropFirst()
        }
        if let signal { return signal }
        return try runSideChecks(dead.map(patientCheck), named: "next hops", once, onEvent) {
            findings.results[dead[$0]] = $1
        }
    }

    /// Repeats timeouts once, slowly for each host.
    private func repeatTimeouts(in findings: inout Findings, _ onEvent: (Event) -> Void) throws -> Int32? {
        let repetition = TimeoutRepetition(of: findings.results)
        if repetition.count > 0 { onEvent(.repeating(round: 1, count: repetition.count)) }
        for segment in repetition.segments {
            // Before the first check of a host, its limit must have recovered from what came before.
            if let signal = try pause() { return signal }
            var slow = options
            let rate = Double(segment.hosts) * 1000 / Double(options.retryPauseMilliseconds)
            slow.ratePerSecond = options.ratePerSecond > 0 ? min(options.ratePerSecond, rate) : rate
            let signal = try runChecks(segment.indices.map(patientCheck), slow, onEvent) { index, result in
                findings.results[segment.indices[index]] = result
                findings.repeated.insert(segment.indices[index])
                onEvent(.repeated)
            }
            if let signal { return signal }
        }
        return nil
    }

    /// - Returns: the signal that arrived; nil if none did.
    private func pause() throws -> Int32? {
        let events = try BlockingQueue<Int>()
        var interrupts = Interrupts()
        defer { interrupts.restore() }
        let end = Clock.now().advanced(byMilliseconds: options.retryPauseMilliseconds)
        while Clock.now() < end {
            if case .signal(let number) = events.next(until: end, or: interrupts) { return number }
        }
        return nil
    }

    /// Runs checks other than all cases; of their events, only ticks are passed on.
    /// - Parameter onResult: gets the index of a check in the list, and its result.
    /// - Returns: as the function below.
    private func runChecks(
        _ checks: [PlacedCase], _ options: BatchOptions, _ onEvent: (Event) -> Void,
        onResult: (Int, CheckResult) -> Void
    ) throws -> Int32? {
        try runChecks(CheckList(checks: checks), options) { event in
            switch event {
            case .finished(let index, let result, _): onResult(index, result)
            case .tick: onEvent(.tick)
            case .willRepeat, .repeating, .idle: break
            }
        }
    }

    /// - Returns: the signal that ended the run; nil if it is complete.
    private func runChecks(
        _ checks: any CheckSource, _ options: BatchOptions, _ onEvent: (CheckSession.Event) -> Void
    ) throws -> Int32? {
        guard checks.count > 0 else { return nil }
        let session = CheckSession(
            plan: checks, context: context, options: options, tickMilliseconds: tickMilliseconds, fleet: plan.fleet)
        switch try session.run(onEvent) {
        case .complete: return nil
        case .interrupted(let number): return number
        }
    }
}

/// A few checks in memory.
private struct CheckList: CheckSource {
    let checks: [PlacedCase]

    var count: Int { checks.count }

    func check(at index: Int) -> PreparedCheck { checks[index].check }

    func place(at index: Int) -> PlaceName? { checks[index].place }

    func body(at index: Int) -> [UInt8] { checks[index].body }
}

/// A check with its place, and the body that the place gets.
private struct PlacedCase {
    let check: PreparedCheck
    /// nil for here.
    let place: PlaceName?
    let body: [UInt8]

    init(check: PreparedCheck, place: PlaceName?, body: [UInt8]) {
        self.check = check
        self.place = place
        self.body = body
    }

    init(_ control: VerifyPlan.Control) {
        self.init(check: control.check, place: control.place, body: control.body)
    }
}
