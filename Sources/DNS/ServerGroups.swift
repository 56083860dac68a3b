import ErrorCatalogue
import NetworkTypes
import SocketIO

/// The name servers that the resolver knows: the system's, those that requests named lately, and earlier ones that still
/// have questions in flight.
struct ServerGroups {
    /// How many servers that requests named are kept; a channel takes 75 KB.
    private static let largestCustomCount = 8
    /// How many channels there may be, those included that have to wait for the end of what they sent.
    private static let largestChannelCount = 256

    private(set) var system: ServerGroup?
    private var custom: [IPEndpoint: (group: ServerGroup, lastUse: Int)] = [:]
    private var retired: [ServerGroup] = []
    private var channels: [Int: ServerChannel] = [:]
    private var settings = ResolverSettings()
    private var uses = 0
    private var lastIdentifier = 0

    func channel(_ identifier: Int) -> ServerChannel? { channels[identifier] }

    /// Takes the servers of a changed resolv.conf; the earlier ones stay until their questions end.
    mutating func replaceSystem(servers: [IPEndpoint], settings: ResolverSettings, resolver: Resolver) {
        self.settings = settings
        if let system { retired.append(system) }
        retired += custom.values.map(\.group)
        custom = [:]
        system = make(servers, resolver: resolver)
    }

    /// The group of a server that a request names; the one that was not used for longest makes room.
    /// - Returns: nil while there are too many.
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

    /// Lets go of earlier servers that nothing is in flight to. Not to be called within a call-back of c-ares.
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
        channels[identifier] = channel
        return channel
    }
}

/// The name servers that one question may be put to, in order. Its identity is part of the question's.
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
    /// Of several servers' failures the highest is reported: an answer before silence, silence before a closed way.
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

    /// Of the failures of two families, or of several names of a search, the highest is reported: what leaves open
    /// whether there is an address before what denies it.
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

    /// Whether the name's next search expansion is asked behind it, as the C library does.
    var continuesSearch: Bool {
        switch self {
        case .nxdomain, .noData, .serverFailure: true
        case .refused, .formatError, .notImplemented, .responseCode, .timeout, .shortage, .unreachable, .badAnswer,
            .cancelled:
            false
        }
    }
}
