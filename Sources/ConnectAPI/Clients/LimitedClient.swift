package import CheckEngine
internal import CheckModel
internal import ErrorCatalogue
package import HTTPServer
package import NetworkTypes
internal import SocketIO

/// The client of one request, with its limits. There is one only if a limit is configured.
package final class LimitedClient: Sendable {
    private let client: Client
    private let rules: ClientRules
    private let parts: ServiceParts

    private var table: ClientTable { parts.clients }

    fileprivate init(_ client: Client, rules: ClientRules, parts: ServiceParts) {
        self.client = client
        self.rules = rules
        self.parts = parts
    }

    /// Counts a request that runs checks, before its body is read.
    /// - Throws: 429 if the client must wait.
    func beginRequest() throws(Problem) {
        guard rules.checksPerSecond > 0 else { return }
        let wait = table.take(client, rate: rules.checksPerSecond)
        if wait > 0 {
            throw refuse(
                .rate, wait, "start \(rules.checksPerSecond) checks per second (limits.per_client_per_second)")
        }
    }

    /// Counts the check of a request: its rounds, its target, and that it is in flight.
    /// - Returns: the check for the limits, until it has ended.
    /// - Throws: 429 if the client must wait.
    package func begin(_ check: PreparedCheck) throws(Problem) -> ClientCheck {
        try count(check)
        return ClientCheck(of: check.request.target, by: self, holding: try permit(upTo: 1))
    }

    /// Counts a check that runs at several places: its target once, and its rounds at each place.
    /// - Parameter places: how many, at least 1.
    /// - Returns: the check for the limits; its permits say at how many places it may run at once.
    /// - Throws: 429 if the client must wait.
    package func begin(_ check: PreparedCheck, at places: Int) throws(Problem) -> ClientCheck {
        try count(check)
        let permit = try permit(upTo: places)
        chargeFurther((places - 1) * Int(check.request.count))
        return ClientCheck(of: check.request.target, by: self, holding: permit)
    }

    /// Counts the target and the rounds of a check. Its first round has been counted.
    /// - Throws: 429 if the client has checked too many other targets in the last hour; then no round is counted.
    func count(_ check: PreparedCheck) throws(Problem) {
        try count(check.request.target)
        chargeFurther(Int(check.request.count) - 1)
    }

    /// Counts what a request does besides its first check.
    func chargeFurther(_ checks: Int) {
        guard rules.checksPerSecond > 0, checks > 0 else { return }
        table.charge(checks, to: client, rate: rules.checksPerSecond)
    }

    private func count(_ target: Target) throws(Problem) {
        guard rules.targetsPerHour > 0 else { return }
        let wait = table.note(target: TargetKey(target).shortHash, of: client, limit: rules.targetsPerHour)
        if wait > 0 {
            throw refuse(
                .targets, wait,
                "check \(rules.targetsPerHour) different targets in an hour (limits.per_client_targets_per_hour)")
        }
    }

    /// Counts the addresses that a check has connected to: a name can lead to another address each time.
    func note(_ answer: CheckAnswer, to target: Target) {
        guard rules.targetsPerHour > 0, case .result(let result) = answer else { return }
        let endpoints = result.attempts.compactMap { attempt -> IPEndpoint? in
            guard attempt.outcome != .failed(.denied), case .ip(let endpoint) = attempt.endpoint else { return nil }
            return endpoint
        }
        note(endpoints, of: target)
    }

    /// Counts what another place has connected to.
    func note(_ endpoints: [IPEndpoint], of target: Target) {
        guard rules.targetsPerHour > 0 else { return }
        for endpoint in endpoints {
            let address = TargetKey.address(endpoint.address, endpoint.port).shortHash
            if table.note(target: address, of: client, limit: rules.targetsPerHour) > 0 {
                // From now on the name is refused like a new target. Otherwise it could lead to any number of addresses.
                table.replace(target: TargetKey(target).shortHash, by: address, of: client)
            }
        }
    }

    /// Takes permits for checks in flight.
    /// - Returns: at least one permit; nil if checks in flight are not limited.
    /// - Throws: 429 if the client has none left.
    func permit(upTo count: Int) throws(Problem) -> ClientPermit? {
        guard rules.checksInFlight > 0 else { return nil }
        let taken = table.acquire(upTo: count, for: client, limit: rules.checksInFlight)
        guard taken > 0 else {
            throw refuse(
                .inFlight, Self.second, "have \(rules.checksInFlight) checks in flight (limits.per_client_in_flight)")
        }
        return ClientPermit(taken, of: client, in: table)
    }

    /// Counts one check of a batch.
    /// - Returns: nil if it may start; otherwise when to ask again.
    func takeStart() -> MonotonicTime? {
        guard rules.checksPerSecond > 0 else { return nil }
        let wait = table.take(client, rate: rules.checksPerSecond, share: .half)
        return wait == 0 ? nil : Clock.now().advanced(byNanoseconds: Int64(clamping: wait))
    }

    private static let second: UInt64 = 1_000_000_000

    /// Counts and logs a refusal, and makes its 429. Retry-After is in whole seconds, at least 1.
    /// - Parameters:
    ///   - wait: until the client may ask again, in nanoseconds.
    ///   - allowance: what the client may do at most.
    private func refuse(_ limit: ClientLimit, _ wait: UInt64, _ allowance: String) -> Problem {
        parts.clientJournal.note(refusalOf: client, by: limit)
        let seconds = max((wait + Self.second - 1) / Self.second, 1)
        return Problem(
            .tooManyRequests, "this client may \(allowance)", headers: [("Retry-After", "\(seconds)")])
    }
}

/// What `limits.per_client_targets_per_hour` counts once.
private enum TargetKey: Hashable {
    case address(IPAddress, UInt16)
    case name(String, UInt16)
    case path(String)

    init(_ target: Target) {
        switch target.peer {
        case .tcp(.address(let address), let port), .udp(.address(let address), let port):
            self = .address(address, port)
        case .tcp(.name, let port), .udp(.name, let port): self = .name(target.hostKey, port)
        case .unix: self = .path(target.text)
        }
    }

    /// The seed is random, so that a client cannot choose targets with equal hashes.
    var shortHash: UInt32 { UInt32(truncatingIfNeeded: hashValue) }
}

/// A check in flight of a client with limits. Its permit is returned with it.
package final class ClientCheck: Sendable {
    private let target: Target
    private let client: LimitedClient
    private let permit: ClientPermit?

    fileprivate init(of target: Target, by client: LimitedClient, holding permit: ClientPermit?) {
        self.target = target
        self.client = client
        self.permit = permit
    }

    /// At how many places the check may run at once; nil if that is not limited.
    package var permitCount: Int? { permit?.count }

    /// Takes the answer of the check.
    package func end(with answer: CheckAnswer) {
        client.note(answer, to: target)
    }

    /// Takes the answer of another place: what it connected to.
    package func end(connectedTo endpoints: [IPEndpoint]) {
        client.note(endpoints, of: target)
    }
}

/// Checks in flight that a client may have. They are returned with this object.
final class ClientPermit: Sendable {
    let count: Int
    private let client: Client
    private let table: ClientTable

    init(_ count: Int, of client: Client, in table: ClientTable) {
        self.count = count
        self.client = client
        self.table = table
    }

    deinit { table.release(count, of: client) }
}

extension ServiceSettings {
    /// The client of a request; nil if clients have no limits.
    package func limitedClient(of head: RequestHead, in parts: ServiceParts) -> LimitedClient? {
        guard !clientRules.isEmpty else { return nil }
        return LimitedClient(Client(of: head, tokens: tokens), rules: clientRules, parts: parts)
    }

    /// All askers in the fleet as one client; nil if clients have no limits.
    func limitedFleet(in parts: ServiceParts) -> LimitedClient? {
        clientRules.isEmpty ? nil : LimitedClient(.fleet, rules: clientRules, parts: parts)
    }
}
