internal import CheckModel
internal import DNS
internal import SocketIO

/// A check of a TCP or UDP target: resolve, judge, try.
struct InternetCheck {
    let plan: AttemptPlan
    let resolver: Resolver
    let policy: Policy?
    let deadline: MonotonicTime

    func run(host: Host, port: UInt16, into draft: inout ResultDraft) async throws(DenialReason) {
        if case .name(let name) = host {
            try judge(name: name, port)
            try judgeServer()
        }
        guard let resolution = try await resolve(host, into: &draft) else { return }
        for alias in resolution.aliases { try judge(name: alias, port) }
        if Task.isCancelled { return draft.fail(with: Classifier.report(for: OwnError.cancelled), in: .connect) }
        draft.resolution = resolution
        let candidates = resolution.addresses.map { IPEndpoint(address: $0, port: port) }
        try await attempt(candidates, into: &draft)
    }

    // MARK: Names

    /// More addresses than any service has: each is tried, and a name server must not make one check a flood of them.
    private static let mostAddresses = 128

    private func resolve(_ host: Host, into draft: inout ResultDraft) async throws(DenialReason) -> Resolution? {
        let begin = Clock.now()
        switch host {
        case .address(let address):
            return Resolution(name: address.text, addresses: [address], source: .literal)
        case .name(let name):
            let options = plan.request.resolve
            do throws(ResolveFailure) {
                var resolution = try await resolver.resolve(
                    name, family: options.family, server: options.server, until: deadline)
                guard resolution.addresses.count <= Self.mostAddresses else { throw .badAnswer }
                resolution.addresses = order(resolution.addresses)
                draft.timings.resolve = Clock.now().since(begin)
                return resolution
            } catch {
                draft.timings.resolve = Clock.now().since(begin)
                if hidesNames, error != .cancelled { throw .unresolved }
                draft.fail(with: Classifier.report(for: error), in: .resolve)
                return nil
            }
        }
    }

    private func order(_ addresses: [IPAddress]) -> [IPAddress] {
        guard addresses.count > 1 else { return addresses }
        let bound = plan.request.bind.address
        let ordered = AddressSelection.order(
            addresses.map { address in
                (address, source: bound?.family == address.family ? bound : LocalAddresses.source(towards: address))
            })
        return plan.request.resolve.addresses == .race ? AddressSelection.interleave(ordered) : ordered
    }

    // MARK: Policy

    /// Whether nothing may tell a name that is denied from one that does not exist, nor what is behind it.
    private var hidesNames: Bool { policy?.profile == .public }

    private func judge(name: String, _ port: UInt16) throws(DenialReason) {
        guard let policy else { return }
        let verdict = policy.judgeHost(name, port: port, transport: plan.request.target.transport)
        if case .deny(let reason) = verdict { throw reason }
    }

    /// A name server that the request brings is a target too, by either transport that a resolver may use.
    private func judgeServer() throws(DenialReason) {
        guard let server = plan.request.resolve.server, let policy else { return }
        for transport in [Transport.udp, .tcp] {
            let verdict = policy.judge(server, transport: transport, isLocal: LocalAddresses.contains)
            if case .deny(let reason) = verdict { throw reason }
        }
    }

    private func denial(of endpoint: IPEndpoint) -> DenialReason? {
        guard let policy else { return nil }
        switch policy.judge(endpoint, transport: plan.request.target.transport, isLocal: LocalAddresses.contains) {
        case .allow: return nil
        case .deny(let reason): return reason
        }
    }

    // MARK: Attempts

    private func attempt(_ candidates: [IPEndpoint], into draft: inout ResultDraft) async throws(DenialReason) {
        var permitted: [Endpoint] = []
        var denied: [Int] = []
        var firstReason: DenialReason?
        for (index, candidate) in candidates.enumerated() {
            if let reason = denial(of: candidate) {
                denied.append(index)
                firstReason = firstReason ?? reason
            } else {
                permitted.append(.ip(candidate))
            }
        }
        if let firstReason {
            let isAll = plan.request.resolve.addresses == .all
            // `all` would have to name what it does not try.
            if permitted.isEmpty || (isAll && hidesNames) { throw firstReason }
            if hidesNames { draft.resolution?.addresses = permittedAddresses(of: permitted) }
        }
        let begin = Clock.now()
        var outcomes = await attempt(permitted)
        if plan.request.resolve.addresses == .all {
            for index in denied { outcomes.insert(refused(candidates[index]), at: index) }
        }
        draft.take(outcomes, begunAt: begin)
    }

    private func permittedAddresses(of endpoints: [Endpoint]) -> [IPAddress] {
        endpoints.compactMap { if case .ip(let endpoint) = $0 { endpoint.address } else { nil } }
    }

    private func attempt(_ endpoints: [Endpoint]) async -> [AttemptOutcome] {
        if endpoints.count == 1 {
            return [await ConnectAttempt(plan: plan, endpoint: endpoints[0], deadline: deadline).run()]
        }
        switch plan.request.resolve.addresses {
        case .first: return await Strategy.first(endpoints, by: plan, until: deadline)
        case .all: return await Strategy.all(endpoints, by: plan, until: deadline)
        case .race: return await Race(plan: plan, endpoints: endpoints, deadline: deadline).run()
        }
    }

    /// What `all` says of an address that the policy denies.
    private func refused(_ endpoint: IPEndpoint) -> AttemptOutcome {
        var result = AttemptResult(
            endpoint: .ip(endpoint), outcome: .failed(.denied), phase: .policy,
            startNanoseconds: Clock.now().since(plan.start))
        result.error = Classifier.report(for: .denied)
        return AttemptOutcome(result: result)
    }
}
