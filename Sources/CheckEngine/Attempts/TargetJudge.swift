public import AccessPolicy
internal import CheckModel
internal import DNS
public import ErrorCatalogue
public import NetworkTypes
internal import SocketIO

/// Judges targets as their checks would, without a connect: it resolves names, but sends nothing to a target.
public struct TargetJudge: Sendable {
    private let policy: Policy
    private let worker: Worker

    /// - Parameter worker: resolves the names. Its pool must run.
    public init(policy: Policy, worker: Worker) {
        self.policy = policy
        self.worker = worker
    }

    /// Judges a target. A UNIX-domain path is opened with O_PATH, which blocks if its file system hangs.
    /// - Throws: Why the name of the target has no address.
    public func judge(
        _ target: Target, until deadline: MonotonicTime
    ) async throws(ResolveFailure) -> TargetJudgment {
        switch target.peer {
        case .tcp(let host, let port), .udp(let host, let port):
            return try await judge(host, port, target.transport, until: deadline)
        case .unix(_, let address):
            let found = UnixPathConnect.decision(on: address, by: policy)
            return TargetJudgment(
                names: [], endpoints: [.init(endpoint: .unix(found.judged), decision: found.decision)])
        }
    }

    private func judge(
        _ host: Host, _ port: UInt16, _ transport: Transport, until deadline: MonotonicTime
    ) async throws(ResolveFailure) -> TargetJudgment {
        switch host {
        case .address(let address):
            return TargetJudgment(names: [], endpoints: [judge(address, port, transport)])
        case .name(let name):
            let own = judge(name: name, port, transport)
            // A denied name is not resolved, as in a check.
            guard own.decision.verdict == .allow else { return TargetJudgment(names: [own], endpoints: []) }
            let resolution = try await worker.resolver.resolve(name, family: .any, server: nil, until: deadline)
            return TargetJudgment(
                names: [own] + resolution.aliases.map { judge(name: $0, port, transport) },
                endpoints: resolution.addresses.map { judge($0, port, transport) })
        }
    }

    private func judge(_ address: IPAddress, _ port: UInt16, _ transport: Transport) -> TargetJudgment.JudgedEndpoint {
        let endpoint = IPEndpoint(address: address, port: port)
        let decision = policy.decision(on: endpoint, transport: transport, isLocal: LocalAddresses.contains)
        return .init(endpoint: .ip(endpoint), decision: decision)
    }

    private func judge(name: String, _ port: UInt16, _ transport: Transport) -> TargetJudgment.JudgedName {
        .init(name: name, decision: policy.decision(onHost: name, port: port, transport: transport))
    }
}

/// What a policy decides about a target.
public struct TargetJudgment: Sendable {
    /// A name on the way to the addresses: the target's own, a search expansion or a CNAME.
    public struct JudgedName: Sendable {
        public let name: String
        public let decision: PolicyDecision
    }

    public struct JudgedEndpoint: Sendable {
        public let endpoint: Endpoint
        public let decision: PolicyDecision
    }

    /// Empty for a literal address and for a path.
    public let names: [JudgedName]
    /// Empty if the first name is denied.
    public let endpoints: [JudgedEndpoint]

    /// Whether a check may connect: no name is denied, and at least one address is allowed.
    public var isAllowed: Bool {
        names.allSatisfy { $0.decision.verdict == .allow } && endpoints.contains { $0.decision.verdict == .allow }
    }
}
