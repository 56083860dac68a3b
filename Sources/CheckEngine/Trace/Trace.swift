internal import AccessPolicy
internal import CheckModel
internal import NetworkTypes
internal import SocketIO

/// Finds the path to one address, with probes of increasing TTL. It needs no privilege.
///
/// Only the check's task uses it; the check's permit covers its first socket. It sends nothing to an address that the
/// policy denies.
final class Trace {
    let plan: AttemptPlan
    let endpoint: IPEndpoint
    let options: TraceOptions
    let deadline: MonotonicTime
    let probe: TraceProbe
    let share: SocketShare
    let progress: TraceProgress
    private let start: MonotonicTime
    private let flow: TraceOptions.Flow
    /// The answers to probes from different ports.
    var varied = TraceObservations()
    /// The answers on the path that the trace follows from one port; nil if it does not.
    var fixed: TraceObservations?
    /// The port of `fixed`.
    var sourcePort: UInt16?
    /// Why this machine could not send toward the target; nil if it could.
    var refusal: Errno?

    /// - Parameters:
    ///   - plan: of a check of an internet target.
    ///   - endpoint: an address of that target.
    ///   - deadline: when the trace must end, if that is before its own timeout.
    ///   - report: called while the trace runs.
    init(
        _ plan: AttemptPlan, to endpoint: IPEndpoint, _ options: TraceOptions, until deadline: MonotonicTime? = nil,
        report: (@Sendable (TraceEvent) -> Void)? = nil
    ) {
        self.plan = plan
        self.endpoint = endpoint
        self.options = options
        // A requested port can only have one probe at a time.
        flow = (plan.request.bind.port ?? 0) == 0 ? options.flow : .fixed
        start = Clock.now()
        let limit = start.advanced(byMilliseconds: options.timeoutMilliseconds)
        self.deadline = deadline.map { min($0, limit) } ?? limit
        probe = TraceProbe(plan, endpoint: endpoint)
        share = SocketShare(of: plan.admission)
        progress = TraceProgress(report)
    }

    /// Runs the trace. If the task is cancelled, it ends early, as at its deadline.
    func run() async -> TraceReport {
        guard plan.allows(endpoint, plan.request.target.transport) else { return finished(.policy) }
        switch flow {
        case .fixed: await followOnePath(from: plan.request.bind.port ?? 0)
        case .varied:
            await probeAllAtOnce()
            if varied.isContradictory {
                progress.restart()
                await followOnePath(from: 0)
            }
        }
        // Without sockets, not all probes were sent.
        let isIncomplete = isOver || observations.largestProbed < options.maxTTL
        let stop = observations.stop(isOver: isIncomplete, hasNoRoute: refusal != nil)
        let mtu = await PathMTUProbe(of: self, ttl: observations.lastAnswered)?.run()
        return finished(stop, mtu)
    }

    /// Whether the trace has timed out, or was cancelled.
    var isOver: Bool { Task.isCancelled || Clock.now() >= deadline }

    private var observations: TraceObservations { fixed ?? varied }

    private func finished(_ stop: TraceStop, _ mtu: PathMTUProbe.Finding? = nil) -> TraceReport {
        // Without a route, the probes that were begun did not leave this machine either.
        let isStuck = refusal != nil && observations.lastAnswered == 0
        let hops = isStuck ? [] : observations.hops(others: fixed == nil ? nil : varied)
        progress.finish(hops)
        return TraceReport(
            target: endpoint.address, hops: hops, reached: observations.finalAnswer?.isFromTarget ?? false, flow: flow,
            sourcePort: sourcePort,
            stop: stop, mtu: mtu?.report(among: hops), durationNanoseconds: Clock.now().since(start))
    }

    /// The longest time that an answer took so far, in nanoseconds; nil without any answer.
    var slowestNanoseconds: Int64? { [varied.slowestNanoseconds, fixed?.slowestNanoseconds].compactMap { $0 }.max() }

    /// How long to wait for an answer of an unknown hop, in nanoseconds. Farther hops may take much longer.
    var patience: Int64 {
        guard let slowest = slowestNanoseconds else { return 500_000_000 }
        return min(max(3 * slowest + 200_000_000, 300_000_000), Self.longestPatience)
    }

    /// The kernel sends a SYN again by itself after a second.
    static let longestPatience: Int64 = 950_000_000

    /// When a silent hop is asked again. Many routers send one ICMP message in a second, after a burst of a few.
    static let pauseBeforeRepetition: Int64 = 1_050_000_000
}

extension AttemptPlan {
    /// Whether the policy allows the endpoint. The same value must be connected to.
    func allows(_ endpoint: IPEndpoint, _ transport: Transport) -> Bool {
        guard let policy else { return true }
        return policy.judge(endpoint, transport: transport, isLocal: LocalAddresses.contains) == .allow
    }
}
