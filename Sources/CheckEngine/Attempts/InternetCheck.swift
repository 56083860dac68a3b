import AccessPolicy
import CheckModel
import DNS
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// A check of a TCP or UDP target: resolve, judge, try. Port 0 is never tried: such a check resolves and is `invalid`.
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
        let permitted = try permittedAddresses(of: resolution, port)
        if port == 0 {
            draft.fail(with: Classifier.report(for: OwnError.invalid), in: .policy)
            return nil
        }
        return permitted.map { .ip(IPEndpoint(address: $0, port: port)) }
    }

    private func permittedAddresses(of resolution: Resolution, _ port: UInt16) throws(DenialReason) -> [IPAddress] {
        guard resolution.source == .literal, let address = resolution.addresses.first else {
            return try choose(from: resolution, port)
        }
        if let reason = denial(of: IPEndpoint(address: address, port: port)) { throw reason }
        return [address]
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
            draft.fail(with: Classifier.report(for: error), in: .resolve)
        }
        draft.timings[.resolve] = Clock.now().since(begin)
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

    /// Tells the addresses apart that may be tried, in their order.
    /// - Throws: the reason of the first denial, where none is left; in public also where `all` would have to show one.
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

    /// Whether nothing may tell a name that is denied from one that does not exist, nor what is behind it.
    private var hidesNames: Bool { policy?.profile == .public }

    private func denial(of endpoint: IPEndpoint) -> DenialReason? {
        guard let policy else { return nil }
        switch policy.judge(endpoint, transport: plan.request.target.transport, isLocal: LocalAddresses.contains) {
        case .allow: return nil
        case .deny(let reason): return reason
        }
    }

    // MARK: Choice

    /// Judges, limits and orders the addresses of a name, and notes those that the result shows.
    ///
    /// To order them, the kernel is asked for the source address of each, by connect(2) of a datagram socket: it is asked
    /// about no address that the policy has denied. Denied addresses go last, as those without a source address do.
    private func choose(from resolution: Resolution, _ port: UInt16) throws(DenialReason) -> [IPAddress] {
        let options = plan.request.resolve
        let candidates = wantedFamily(of: resolution.addresses)
        // `all` answers for each address of its share. The others pass over what is denied, however much there is of it.
        let share = options.addresses == .all ? AddressSelection.limit(candidates) : candidates
        let (allowed, denied) = try judge(share, port)
        let permitted = order(AddressSelection.limit(allowed))
        if options.triesOneAddress {
            draft.resolution?.addresses = Array(permitted.prefix(1))
            return Array(permitted.prefix(1))
        }
        // Where denied addresses are secret, how many there are is too.
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
                (address, source: bound?.family == address.family ? bound : LocalAddresses.source(towards: address))
            })
        return plan.request.resolve.addresses == .race ? AddressSelection.interleave(ordered) : ordered
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
