internal import CAres
internal import CLinux
public import CheckModel
public import ErrorCatalogue
public import NetworkTypes
public import SocketIO

/// Resolves names to addresses before a deadline: from hosts(5), then from the name servers of resolv.conf(5), through
/// c-ares.
///
/// Each worker has one, on its reactor's thread. It never blocks: the files are read on another thread. It notices
/// changes of the files within a second; queries in progress stay with the old servers. Answers are not cached, but
/// identical queries at the same time are sent once.
public actor Resolver {
    public nonisolated let reactor: Reactor
    public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    var resolvConf: WatchedFile<ResolverSettings>
    var hostsFile: WatchedFile<HostsTable>
    /// Lookups that wait for one of the files.
    var fileSignals: Set<SlotToken> = []
    private let nameServerPort: UInt16
    private var systemSettings: ResolverSettings?
    var groups = ServerGroups()
    var questions = QuestionTable()
    var lookups: [Int: Lookup] = [:]
    private var nextLookup = 0
    var lastTry = 0

    /// - Parameters:
    ///   - reactor: The reactor that waits for its sockets, and whose thread it shares.
    ///   - resolvConfPath: The path of resolv.conf(5). If it is missing or names no server, 127.0.0.1 is the server.
    ///   - hostsPath: The path of hosts(5).
    ///   - nameServerPort: The port of the servers in resolv.conf, which cannot name one.
    public init(
        reactor: Reactor, resolvConfPath: String = "/etc/resolv.conf", hostsPath: String = "/etc/hosts",
        nameServerPort: UInt16 = 53
    ) {
        self.reactor = reactor
        self.nameServerPort = nameServerPort
        resolvConf = WatchedFile(path: resolvConfPath) { ResolverSettings(parsing: $0) }
        hostsFile = WatchedFile(path: hostsPath) { HostsTable(parsing: $0) }
        _ = Library.isReady
    }

    /// Finds the addresses of a name.
    ///
    /// `localhost` and the names below it always have the loopback addresses (RFC 6761). Other names are looked up in
    /// the hosts file, unless `server` is given, and then at the name servers: A and AAAA at once, with the search
    /// domains of resolv.conf (also for `server`). A trailing dot disables the search. When one family has addresses,
    /// the lookup waits for the other at most a quarter of the remaining time, and at most 500 ms.
    ///
    /// - Parameters:
    ///   - server: The only name server to use, instead of the system's.
    ///   - asHostsHave: Whether `localhost` has only the loopback addresses that the hosts file lists for it, if it
    ///     lists any.
    ///   - deadline: When to stop.
    /// - Returns: At least one address, in no particular order.
    /// - Throws: Why there is no address; `timeout` at the deadline; `cancelled` as soon as the task is cancelled.
    public func resolve(
        _ name: String, family: ResolveOptions.Family, server: IPEndpoint?, asHostsHave: Bool = false,
        until deadline: MonotonicTime
    ) async throws(ResolveFailure) -> Resolution {
        let local = try await resolveLocally(
            name, family: family, mayAskHosts: server == nil, asHostsHave: asHostsHave, until: deadline)
        if let local { return local }
        let group = try await serverGroup(for: server, until: deadline)
        var worst = ResolveFailure.nxdomain
        for candidate in group.settings.candidates(for: name) {
            let results = await lookUp(candidate, types: family.recordTypes, in: group, until: deadline)
            switch Resolution.of(name, candidate: candidate, results: results) {
            case .success(let resolution): return resolution
            case .failure(let failure):
                guard failure.continuesSearch else { throw failure }
                if failure.rankAmongNames > worst.rankAmongNames { worst = failure }
            }
        }
        throw worst
    }

    private func resolveLocally(
        _ name: String, family: ResolveOptions.Family, mayAskHosts: Bool, asHostsHave: Bool,
        until deadline: MonotonicTime
    ) async throws(ResolveFailure) -> Resolution? {
        let normalized = DomainName.normalized(name)
        if DomainName.isLocalhost(normalized) {
            let lines = asHostsHave ? try await readHosts(until: deadline).lines(for: normalized) : []
            return .loopback(name, family: family, listed: lines.map(\.address))
        }
        guard mayAskHosts else { return nil }
        return .of(name, lines: try await readHosts(until: deadline).lines(for: normalized), family: family)
    }

    /// Waits while there are too many servers that requests named.
    private func serverGroup(
        for server: IPEndpoint?, until deadline: MonotonicTime
    ) async throws(ResolveFailure) -> ServerGroup {
        while true {
            let settings = try await readSettings(until: deadline)
            if let group = serverGroup(for: server, settings) { return group }
            let now = Clock.now()
            guard now < deadline else { throw systemSettings == nil ? .shortage(.outOfMemory) : .timeout }
            let pause = min(deadline, now.advanced(byMilliseconds: 20))
            if await reactor.sleep(until: pause) == .cancelled { throw .cancelled }
        }
    }

    private func serverGroup(for server: IPEndpoint?, _ settings: ResolverSettings) -> ServerGroup? {
        groups.reap(reactor: reactor)
        if settings != systemSettings {
            let servers = settings.servers.map { IPEndpoint(address: $0, port: nameServerPort) }
            let isComplete = groups.replaceSystem(servers: servers, settings: settings, resolver: self)
            systemSettings = isComplete ? settings : nil
        }
        guard let server else { return groups.system }
        return groups.custom(server, resolver: self)
    }

    // MARK: Lookups

    private func lookUp(
        _ name: String, types: [RecordType], in group: ServerGroup, until deadline: MonotonicTime
    ) async -> LookupResult {
        if Task.isCancelled { return Self.same(.cancelled, for: types) }
        if deadline <= Clock.now() { return Self.same(.timeout, for: types) }
        nextLookup += 1
        let identifier = nextLookup
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                begin(identifier, name, types: types, in: group, until: deadline, continuation)
            }
        } onCancel: {
            Task(executorPreference: reactor.thread) { await self.abandon(identifier, because: .cancelled) }
        }
    }

    private static func same(_ failure: ResolveFailure, for types: [RecordType]) -> LookupResult {
        Dictionary(uniqueKeysWithValues: types.map { ($0, .failure(failure)) })
    }

    private func begin(
        _ identifier: Int, _ name: String, types: [RecordType], in group: ServerGroup, until deadline: MonotonicTime,
        _ continuation: UnsafeContinuation<LookupResult, Never>
    ) {
        let timer = reactor.assumeIsolated { reactor in
            let timer = reactor.makeTimer { [weak self] in
                self?.assumeIsolated { $0.abandon(identifier, because: .timeout) }
            }
            if deadline != .distantFuture { reactor.arm(timer, at: deadline) }
            return timer
        }
        var lookup = Lookup(deadline: deadline, timer: timer)
        lookup.continuation = continuation
        // All questions are registered before the first is sent, because an answer can arrive during the sending.
        let joined = types.map { ($0, join(name, type: $0, in: group, lookup: identifier, until: deadline)) }
        for (type, question) in joined { lookup.questions[type] = question.identifier }
        lookups[identifier] = lookup
        for (_, question) in joined where question.isNew { askNext(question.identifier) }
        group.channels.forEach { $0.readIfCrowded() }
    }

    /// An answer to one of the questions of a lookup.
    func deliver(_ result: TryResult, of type: RecordType, to identifier: Int) {
        guard var lookup = lookups[identifier] else { return }
        lookup.results[type] = result
        lookups[identifier] = lookup
        if lookup.isComplete { return finish(identifier) }
        guard lookup.hasAddresses else { return }
        let timer = lookup.timer
        let end = lookup.graceEnd(from: Clock.now())
        reactor.assumeIsolated { $0.arm(timer, at: end) }
    }

    /// Leaves unanswered questions. They are never cancelled in c-ares, because other lookups may wait for them.
    private func abandon(_ identifier: Int, because failure: ResolveFailure) {
        guard let lookup = lookups[identifier] else { return }
        for (type, question) in lookup.questions where lookup.results[type] == nil {
            let silence = questions[question]?.schedule.silence ?? .timeout
            leave(question, lookup: identifier)
            lookups[identifier]?.results[type] = .failure(failure == .timeout ? silence : failure)
        }
        finish(identifier)
    }

    private func finish(_ identifier: Int) {
        guard let lookup = lookups.removeValue(forKey: identifier) else { return }
        reactor.assumeIsolated { $0.remove(lookup.timer) }
        lookup.continuation?.resume(returning: lookup.results)
    }
}

/// c-ares itself: `ares_library_init`, once, before the first channel.
private enum Library {
    static let isReady = ares_library_init(ARES_LIB_INIT_ALL) == connectd_ares_success
}

/// The results for one name, by record type.
typealias LookupResult = [RecordType: TryResult]

/// A lookup that waits for the answers about one name.
struct Lookup {
    /// How long to wait for the second family after the first has addresses: long enough for one more try, but at most
    /// a quarter of the remaining time.
    static let longestGrace: Int64 = 500_000_000

    let deadline: MonotonicTime
    let timer: SlotToken
    var questions: [RecordType: Int] = [:]
    var results: LookupResult = [:]
    var continuation: UnsafeContinuation<LookupResult, Never>?

    var isComplete: Bool { results.count == questions.count }

    var hasAddresses: Bool {
        results.values.contains { if case .success = $0 { true } else { false } }
    }

    /// When to stop waiting for the other family.
    func graceEnd(from now: MonotonicTime) -> MonotonicTime {
        let left = max(deadline.since(now), 0)
        return deadline == .distantFuture
            ? now.advanced(byNanoseconds: Self.longestGrace)
            : now.advanced(byNanoseconds: min(left / 4, Self.longestGrace))
    }
}

/// The queries in progress, by key.
struct QuestionTable {
    private var questions: [Int: Question] = [:]
    private var identifiers: [Question.Key: Int] = [:]
    private var last = 0

    subscript(identifier: Int) -> Question? {
        get { questions[identifier] }
        set { questions[identifier] = newValue }
    }

    func identifier(of key: Question.Key) -> Int? { identifiers[key] }

    /// A number that no question had before.
    mutating func takeIdentifier() -> Int {
        last += 1
        return last
    }

    mutating func add(_ question: Question, as identifier: Int) {
        questions[identifier] = question
        identifiers[question.key] = identifier
    }

    mutating func remove(_ identifier: Int) -> Question? {
        guard let question = questions.removeValue(forKey: identifier) else { return nil }
        identifiers[question.key] = nil
        return question
    }
}
