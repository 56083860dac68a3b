internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// The name servers of the resolver: the system's, those that recent requests named, and earlier ones with queries in
/// flight.
struct ServerGroups {
    /// The number of servers named by requests that are kept; a channel takes 75 KB.
    private static let largestCustomCount = 8
    /// The limit of channels, including those that wait for the end of their queries.
    private static let largestChannelCount = 256

    private(set) var system: ServerGroup?
    private var custom: [IPEndpoint: (group: ServerGroup, lastUse: Int)] = [:]
    private var retired: [ServerGroup] = []
    private var channels: [Int: ServerChannel] = [:]
    private var settings = ResolverSettings()
    private var uses = 0
    private var lastIdentifier = 0

    func channel(_ identifier: Int) -> ServerChannel? { channels[identifier] }

    /// Applies the servers of a changed resolv.conf; the earlier ones stay until their queries end.
    /// - Returns: false if there was no memory for all of them: call it again for the next lookup.
    mutating func replaceSystem(servers: [IPEndpoint], settings: ResolverSettings, resolver: Resolver) -> Bool {
        self.settings = settings
        if let system { retired.append(system) }
        retired += custom.values.map(\.group)
        custom = [:]
        system = make(servers, resolver: resolver)
        return (system?.channels.count ?? 0) == servers.count
    }

    /// Returns the group of a server that a request names; evicts the least recently used one if necessary.
    /// - Returns: nil while there are too many channels.
    mutating func custom(_ server: IPEndpoint, resolver: Resolver) -> ServerGroup? {
        uses += 1
        if let known = custom[server]?.group {
            custom[server]?.lastUse = uses
            return known
        }
        guard channels.count < Self.largestChannelCount else { return nil }
        if custom.count >= Self.largestCustomCount,
            let oldest = custom.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            custom[oldest.key] = nil
            retired.append(oldest.value.group)
        }
        guard let group = make([server], resolver: resolver) else { return nil }
        custom[server] = (group, uses)
        return group
    }

    /// Destroys earlier servers without queries in flight. Do not call it within a callback of c-ares.
    mutating func reap(reactor: Reactor) {
        guard !retired.isEmpty else { return }
        for group in retired where !group.isInUse {
            for channel in group.channels {
                channels[channel.identifier] = nil
                let timer = channel.timer
                reactor.assumeIsolated { $0.remove(timer) }
            }
        }
        retired.removeAll { !$0.isInUse }
    }

    private mutating func make(_ servers: [IPEndpoint], resolver: Resolver) -> ServerGroup? {
        let made = servers.compactMap { makeChannel($0, resolver: resolver) }
        return made.isEmpty ? nil : ServerGroup(channels: made, settings: settings)
    }

    private mutating func makeChannel(_ server: IPEndpoint, resolver: Resolver) -> ServerChannel? {
        lastIdentifier += 1
        let identifier = lastIdentifier
        let timer = resolver.reactor.assumeIsolated { reactor in
            reactor.makeTimer { [weak resolver] in
                resolver?.assumeIsolated { $0.timeoutHasCome(ofChannel: identifier) }
            }
        }
        let channel = ServerChannel(
            identifier: identifier, server: server, settings: settings, resolver: resolver, timer: timer)
        guard let channel else {
            resolver.reactor.assumeIsolated { $0.remove(timer) }
            return nil
        }
        channels[identifier] = channel
        return channel
    }
}

/// The name servers for a query, in order. The identity of the group is part of the query's key.
final class ServerGroup {
    let channels: [ServerChannel]
    let settings: ResolverSettings

    init(channels: [ServerChannel], settings: ResolverSettings) {
        self.channels = channels
        self.settings = settings
    }

    var isInUse: Bool { channels.contains { $0.inFlight > 0 } }
}

extension ResolveFailure {
    /// The priority of failures of several servers; the highest is reported: an answer before silence, silence before
    /// an unreachable server.
    var rankAmongServers: Int {
        switch self {
        case .cancelled: 0
        case .unreachable: 1
        case .timeout, .shortage: 2
        case .badAnswer: 3
        case .formatError, .notImplemented, .responseCode: 4
        case .refused: 5
        case .serverFailure: 6
        case .noData: 7
        case .nxdomain: 8
        }
    }

    /// The priority of failures of two families or of several search names; the highest is reported: a failure that
    /// leaves open whether there is an address before one that denies it.
    var rankAmongNames: Int {
        switch self {
        case .cancelled: 0
        case .nxdomain: 1
        case .noData: 2
        case .unreachable: 3
        case .badAnswer: 4
        case .formatError, .notImplemented, .responseCode: 5
        case .refused: 6
        case .serverFailure: 7
        case .timeout, .shortage: 8
        }
    }

    /// Whether the next search expansion is tried after this failure, as in the C library.
    var continuesSearch: Bool {
        switch self {
        case .nxdomain, .noData, .serverFailure: true
        case .refused, .formatError, .notImplemented, .responseCode, .timeout, .shortage, .unreachable, .badAnswer,
            .cancelled:
            false
        }
    }
}
