public import NetworkTypes

/// What the prober knows about itself at one moment. nil for what it cannot read.
public struct ProberState: Hashable, Sendable {
    /// `net.ipv4.ip_local_port_range`: how many ports connects may use.
    public var ephemeralPortCount: Int?
    /// TCP sockets in use and in TIME_WAIT, in this network namespace.
    public var tcpSocketCount: Int?
    /// RLIMIT_NOFILE.
    public var descriptorLimit: Int?
    public var descriptorCount: Int?
    public var conntrackCount: Int?
    public var conntrackLimit: Int?
    /// Counters of /proc/net/netstat, by name: events in this network namespace since it exists.
    public var counters: [String: Int] = [:]

    public init() {}

    /// How much a counter rose since an earlier state; 0 if it cannot be read.
    func rise(of counter: Counter, since earlier: ProberState) -> Int {
        guard let now = counters[counter.rawValue], let before = earlier.counters[counter.rawValue] else { return 0 }
        return max(now - before, 0)
    }

    /// The counters that are read.
    public enum Counter: String, CaseIterable, Sendable {
        /// Packets that arrived through an interface that the route to their source does not use.
        case reversePathDrops = "IPReversePathFilter"
        case listenOverflows = "ListenOverflows"
        case unsignedSegments = "TCPMD5NotFound"
        case wronglySignedSegments = "TCPMD5Failure"
    }
}

/// The prober's view of the way to one address.
public struct RouteState: Hashable, Sendable {
    public enum Neighbor: Hashable, Sendable {
        /// The address is on a network of this machine, and answered ARP.
        case answered
        /// Unknown, or not on a network of this machine.
        case unknown
    }
    public let address: IPAddress
    /// The source address that the kernel chooses; nil without a route.
    public let source: IPAddress?
    /// Whether the address is on a network of this machine.
    public let isOnLink: Bool
    /// Whether the address belongs to this machine.
    public let isLocal: Bool
    /// Whether this machine has an address of the family, besides loopback and link-local ones.
    public let hasFamily: Bool
    public let neighbor: Neighbor

    public init(
        address: IPAddress, source: IPAddress?, isOnLink: Bool, isLocal: Bool, hasFamily: Bool, neighbor: Neighbor
    ) {
        self.address = address
        self.source = source
        self.isOnLink = isOnLink
        self.isLocal = isLocal
        self.hasFamily = hasFamily
        self.neighbor = neighbor
    }
}
