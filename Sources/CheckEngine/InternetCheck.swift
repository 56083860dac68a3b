internal import CheckModel
internal import DNS
internal import SocketIO

/// A check of a TCP or UDP target: resolve, judge, try.
struct InternetCheck {
    let draft: ResultDraft
    let resolver: Resolver

    private var plan: AttemptPlan { draft.plan }
    private var policy: Policy? { draft.plan.policy }

    func run() async throws(DenialReason) {
        try judgeHost()
        if !resolveLiteral() { await resolve() }
        guard let endpoints = try permittedEndpoints() else { return }
        let begin = Clock.now()
        let outcomes = await attempt(endpoints)
        conclude(outcomes, begunAt: begin)
    }

    // The frame of `run` lives as long as an attempt hangs: what does not wait is kept out of it.

    @inline(never)
    private func judgeHost() throws(DenialReason) {
        guard let (host, port) = plan.hostAndPort, case .name(let name) = host else { return }
        try judge(name: name, port)
        try judgeServer()
    }

    /// The endpoints that may be tried; nil where there are none to try, and the draft says why.
    @inline(never)
    private func permittedEndpoints() throws(DenialReason) -> [Endpoint]? {
        guard let resolution = draft.resolution, let (_, port) = plan.hostAndPort else {
            if hidesNames, !draft.isCancelled { throw .unresolved }
            return nil
        }
        for alias in resolution.aliases { try judge(name: alias, port) }
        if Task.isCancelled {
            draft.resolution = nil
            draft.fail(with: Classifier.report(for: OwnError.cancelled), in: .connect)
            return nil
        }
        let permitted = try judge(resolution.addresses, port)
        if hidesNames { draft.resolution?.addresses = permitted.compactMap(\.internetAddress) }
        return permitted
    }

    @inline(never)
    private func conclude(_ outcomes: [AttemptOutcome], begunAt begin: MonotonicTime) {
        draft.take(addingDenied(to: outcomes, of: draft.resolution?.addresses ?? []), begunAt: begin)
    }

    // MARK: Names

    /// Takes an address of the target as it is; false for a name.
    @inline(never)
    private func resolveLiteral() -> Bool {
        guard let (host, _) = plan.hostAndPort, case .address(let address) = host else { return false }
        draft.resolution = Resolution(name: address.text, addresses: [address], source: .literal)
        return true
    }

    /// More addresses than any service has: each is tried, and a name server must not make one check a flood of them.
    private static let mostAddresses = 128

    private func resolve() async {
        guard let (host, _) = plan.hostAndPort, case .name(let name) = host else { return }
        let begin = Clock.now()
        let options = plan.request.resolve
        do throws(ResolveFailure) {
            var resolution = try await resolver.resolve(
                name, family: options.family, server: options.server, asHostsHave: options.triesOneAddress,
                until: plan.deadline)
            guard resolution.addresses.count <= Self.mostAddresses else { throw .badAnswer }
            resolution.addresses = wanted(order(resolution.addresses), options)
            draft.resolution = resolution
        } catch {
            draft.fail(with: Classifier.report(for: error), in: .resolve)
        }
        draft.timings.resolve = Clock.now().since(begin)
    }

    private func wanted(_ addresses: [IPAddress], _ options: ResolveOptions) -> [IPAddress] {
        let preferred = addresses.filter { $0.family == options.preferredFamily }
        let wanted = preferred.isEmpty ? addresses : preferred
        return options.triesOneAddress ? Array(wanted.prefix(1)) : wanted
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

    /// The endpoints that may be tried, in order.
    /// - Throws: the reason of the first denial, where none is left; in public also where `all` would have to show one.
    private func judge(_ addresses: [IPAddress], _ port: UInt16) throws(DenialReason) -> [Endpoint] {
        var permitted: [Endpoint] = []
        permitted.reserveCapacity(addresses.count)
        var firstReason: DenialReason?
        for address in addresses {
            let endpoint = IPEndpoint(address: address, port: port)
            if let reason = denial(of: endpoint) {
                firstReason = firstReason ?? reason
            } else {
                permitted.append(.ip(endpoint))
            }
        }
        if let firstReason, permitted.isEmpty || (hidesNames && plan.request.resolve.addresses == .all) {
            throw firstReason
        }
        return permitted
    }

    /// Whether nothing may tell a name that is denied from one that does not exist, nor what is behind it.
    private var hidesNames: Bool { policy?.profile == .public }

    private func denial(of endpoint: IPEndpoint) -> DenialReason? {
        guard let policy else { return nil }
        switch policy.judge(endpoint, transport: plan.request.target.transport, isLocal: LocalAddresses.contains) {
        case .allow: return nil
        case .deny(let reason): return reason
        }
    }

    // MARK: Attempts

    private func attempt(_ endpoints: [Endpoint]) async -> [AttemptOutcome] {
        if endpoints.count == 1 {
            return [await ConnectAttempt(plan: plan, endpoint: endpoints[0], deadline: plan.deadline).run()]
        }
        return await attemptSeveral(endpoints)
    }

    /// Not inlined: a check of one address would have to hold the frame of all this.
    @inline(never)
    private func attemptSeveral(_ endpoints: [Endpoint]) async -> [AttemptOutcome] {
        switch plan.request.resolve.addresses {
        case .first: return await Strategy.first(endpoints, by: plan, until: plan.deadline)
        case .all: return await AllAtOnce(plan: plan, endpoints: endpoints, deadline: plan.deadline).run()
        case .race: return await Race(plan: plan, endpoints: endpoints, deadline: plan.deadline).run()
        }
    }

    /// With `all`, the denied addresses stand among the attempts, in the order of the addresses.
    private func addingDenied(to outcomes: [AttemptOutcome], of addresses: [IPAddress]) -> [AttemptOutcome] {
        guard plan.request.resolve.addresses == .all, outcomes.count < addresses.count,
            let (_, port) = plan.hostAndPort
        else { return outcomes }
        var rest = outcomes[...]
        return addresses.map { address in
            let endpoint = IPEndpoint(address: address, port: port)
            if rest.first?.result.endpoint == .ip(endpoint), let next = rest.popFirst() { return next }
            return refused(endpoint)
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
