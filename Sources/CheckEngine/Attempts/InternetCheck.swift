internal import AccessPolicy
internal import CheckModel
internal import DNS
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// A check of a TCP or UDP target: resolve, apply the policy, connect. With port 0, it resolves and is `invalid`.
struct InternetCheck {
    let draft: ResultDraft
    let resolver: Resolver

    private var plan: AttemptPlan { draft.plan }
    private var policy: Policy? { draft.plan.policy }

    func run() async throws(DenialReason) {
        try judgeHost()
        if !resolveLiteral() { await resolve() }
        guard let endpoints = try permittedEndpoints(isCancelled: Task.isCancelled) else { return }
        let begin = Clock.now()
        guard let outcomes = await attempt(endpoints) else { return }
        conclude(outcomes, begunAt: begin)
    }

    /// The endpoint of a target that is an address, if the policy allows it; nil if not. The draft then has the reason.
    func endpointOfLiteral(isCancelled: Bool) throws(DenialReason) -> Endpoint? {
        _ = resolveLiteral()
        return try permittedEndpoints(isCancelled: isCancelled)?.first
    }

    /// Only resolves, and applies the policy.
    /// - Returns: the endpoints to connect to; nil if there are none. The draft then has the reason.
    func resolveAddresses() async throws(DenialReason) -> [Endpoint]? {
        try judgeHost()
        if !resolveLiteral() { await resolve() }
        return try permittedEndpoints(isCancelled: Task.isCancelled)
    }

    // The frame of `run` exists as long as an attempt waits, so functions that do not wait are not inlined into it.

    @inline(never)
    private func judgeHost() throws(DenialReason) {
        guard let (host, port) = plan.hostAndPort, case .name(let name) = host else { return }
        try judge(name: name, port)
        try judgeServer()
    }

    /// The endpoints that the policy allows; nil if there are none. The draft then has the reason.
    @inline(never)
    private func permittedEndpoints(isCancelled: Bool) throws(DenialReason) -> [Endpoint]? {
        guard let resolution = draft.resolution, let (_, port) = plan.hostAndPort else {
            if hidesNames, !draft.isCancelled { throw .unresolved }
            return nil
        }
        for alias in resolution.aliases { try judge(name: alias, port) }
        if isCancelled {
            draft.resolution = nil
            draft.fail(with: Classifier.report(for: OwnError.cancelled), in: .connect)
            return nil
        }
        let permitted = try permittedEndpoints(of: resolution, port)
        if port == 0 {
            draft.fail(with: Classifier.report(for: OwnError.invalid), in: .policy)
            return nil
        }
        return permitted
    }

    private func permittedEndpoints(of resolution: Resolution, _ port: UInt16) throws(DenialReason) -> [Endpoint] {
        guard resolution.source == .literal, let address = resolution.addresses.first else {
            return try choose(from: resolution, port).map { .ip(IPEndpoint(address: $0, port: port)) }
        }
        let endpoint = IPEndpoint(address: address, port: port)
        if let reason = denial(of: endpoint) { throw reason }
        return [.ip(endpoint)]
    }

    @inline(never)
    func conclude(_ outcomes: [AttemptOutcome], begunAt begin: MonotonicTime) {
        draft.take(addingDenied(to: outcomes, of: draft.resolution?.addresses ?? []), begunAt: begin)
    }

    // MARK: Names

    /// Uses the target's address; returns false if the target has a name instead.
    @inline(never)
    private func resolveLiteral() -> Bool {
        guard let (host, _) = plan.hostAndPort, case .address(let address) = host else { return false }
        guard plan.request.resolve.family.includes(address.family) else {
            draft.fail(with: Classifier.addressOfOtherFamily, in: .resolve)
            return true
        }
        draft.resolution = Resolution(name: address.text, addresses: [address], source: .literal)
        return true
    }

    private func resolve() async {
        guard let (host, _) = plan.hostAndPort, case .name(let name) = host else { return }
        let begin = Clock.now()
        let options = plan.request.resolve
        do throws(ResolveFailure) {
            draft.resolution = try await resolver.resolve(
                name, family: options.family, server: options.server, asHostsHave: options.triesOneAddress,
                until: plan.deadline)
        } catch {
            let isLate = error == .timeout && plan.wasStalled
            draft.fail(with: isLate ? Classifier.report(for: .proberBusy) : Classifier.report(for: error), in: .resolve)
        }
        draft.timings[.resolve] = Clock.now().since(begin)
    }

    // MARK: Policy

    private func judge(name: String, _ port: UInt16) throws(DenialReason) {
        guard let policy else { return }
        let verdict = policy.judgeHost(name, port: port, transport: plan.request.target.transport)
        if case .deny(let reason) = verdict { throw reason }
    }

    /// The name server of the request is a target too, with each transport that a resolver may use.
    private func judgeServer() throws(DenialReason) {
        guard let server = plan.request.resolve.server, let policy else { return }
        for transport in [Transport.udp, .tcp] {
            let verdict = policy.judge(server, transport: transport, isLocal: LocalAddresses.contains)
            if case .deny(let reason) = verdict { throw reason }
        }
    }

    /// Splits the addresses by the policy, and keeps their order.
    /// - Throws: the first denial, if no address is permitted. In the profile `public`, also if `all` would show a denied one.
    private func judge(
        _ addresses: [IPAddress], _ port: UInt16
    ) throws(DenialReason) -> (permitted: [IPAddress], denied: [IPAddress]) {
        var permitted: [IPAddress] = []
        permitted.reserveCapacity(addresses.count)
        var denied: [IPAddress] = []
        var firstReason: DenialReason?
        for address in addresses {
            if let reason = denial(of: IPEndpoint(address: address, port: port)) {
                firstReason = firstReason ?? reason
                denied.append(address)
            } else {
                permitted.append(address)
            }
        }
        if let firstReason, permitted.isEmpty || (hidesNames && plan.request.resolve.addresses == .all) {
            throw firstReason
        }
        return (permitted, denied)
    }

    /// Whether a denied name must look the same as a name that does not exist.
    private var hidesNames: Bool { policy?.profile == .public }

    private func denial(of endpoint: IPEndpoint) -> DenialReason? {
        guard let policy else { return nil }
        switch policy.judge(endpoint, transport: plan.request.target.transport, isLocal: LocalAddresses.contains) {
        case .allow: return nil
        case .deny(let reason): return reason
        }
    }

    // MARK: Choice

    /// Applies the policy and the limit to the addresses of a name, sorts them, and stores those that the result shows.
    ///
    /// Sorting needs the source address of each: connect(2) of a datagram socket finds it. That happens only for permitted
    /// addresses. Denied addresses come last.
    private func choose(from resolution: Resolution, _ port: UInt16) throws(DenialReason) -> [IPAddress] {
        let options = plan.request.resolve
        let candidates = wantedFamily(of: resolution.addresses)
        // `all` reports each address within the limit. The others skip all denied addresses before the limit applies.
        let share = options.addresses == .all ? AddressSelection.limit(candidates) : candidates
        let (allowed, denied) = try judge(share, port)
        let permitted = order(AddressSelection.limit(allowed))
        if options.triesOneAddress {
            draft.resolution?.addresses = Array(permitted.prefix(1))
            return Array(permitted.prefix(1))
        }
        // If denied addresses are secret, their number is secret too.
        let shown = hidesNames ? permitted : permitted + denied.prefix(AddressSelection.largestCount - permitted.count)
        let all = hidesNames && options.addresses != .all ? allowed : candidates
        draft.resolution?.addresses = shown
        draft.resolution?.isTruncated = shown.count < all.count
        return permitted
    }

    private func wantedFamily(of addresses: [IPAddress]) -> [IPAddress] {
        guard let family = plan.request.resolve.preferredFamily else { return addresses }
        let preferred = addresses.filter { $0.family == family }
        return preferred.isEmpty ? addresses : preferred
    }

    private func order(_ addresses: [IPAddress]) -> [IPAddress] {
        guard addresses.count > 1 else { return addresses }
        let bound = plan.request.bind.address
        let ordered = AddressSelection.order(
            addresses.map { address in
                (address, source: bound?.family == address.family ? bound : LocalAddresses.source(toward: address))
            })
        return plan.request.resolve.addresses == .race ? AddressSelection.interleave(ordered) : ordered
    }

    // MARK: Attempts

    /// - Returns: nil if there was no memory for the attempts. The draft then has the reason.
    private func attempt(_ endpoints: [Endpoint]) async -> [AttemptOutcome]? {
        if endpoints.count == 1 {
            return [await ConnectAttempt(plan: plan, endpoint: endpoints[0], deadline: plan.deadline).run()]
        }
        if endpoints.count > Self.fewEndpoints { return await attemptMany(endpoints) }
        return await attemptSeveral(endpoints)
    }

    /// Attempts of up to this many addresses take no more memory than is planned for each check.
    private static let fewEndpoints = 8

    @inline(never)
    private func attemptMany(_ endpoints: [Endpoint]) async -> [AttemptOutcome]? {
        let bytes = endpoints.count * CheckMemoryCost.attempt
        guard let lease = await plan.admission.memory.lease(bytes, on: plan.reactor, until: plan.deadline) else {
            draft.fail(with: plan.memoryShortage(), in: .socket)
            return nil
        }
        defer { withExtendedLifetime(lease) {} }
        return await attemptSeveral(endpoints)
    }

    /// Not inlined: otherwise the frame of a check of one address would include all of this.
    @inline(never)
    private func attemptSeveral(_ endpoints: [Endpoint]) async -> [AttemptOutcome] {
        switch plan.request.resolve.addresses {
        case .first: return await Strategy.first(endpoints, by: plan, until: plan.deadline)
        case .all: return await AllAtOnce(plan: plan, endpoints: endpoints, deadline: plan.deadline).run()
        case .race: return await Race(plan: plan, endpoints: endpoints, deadline: plan.deadline).run()
        }
    }

    /// With `all`, the attempts include the denied addresses, in the order of the addresses.
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

    /// The outcome that `all` reports for a denied address.
    private func refused(_ endpoint: IPEndpoint) -> AttemptOutcome {
        var result = AttemptResult(
            endpoint: .ip(endpoint), outcome: .failed(.denied), phase: .policy,
            startNanoseconds: Clock.now().since(plan.start))
        result.error = Classifier.report(for: .denied)
        return AttemptOutcome(result: result)
    }
}
