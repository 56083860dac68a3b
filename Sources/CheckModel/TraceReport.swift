public import NetworkTypes

/// What a trace found on the path to one address.
///
/// A silent hop does not prove a loss: many routers answer no probe, or only a few in a second.
public final class TraceReport: Sendable {
    /// The traced address.
    public let target: IPAddress
    /// In the order of their TTLs, which begin at 1 and have no gaps. After the last hop that answered, at most
    /// `silentHopLimit` silent ones follow.
    public let hops: [TraceHop]
    /// Whether the target's own address answered.
    public let reached: Bool
    public let flow: TraceOptions.Flow
    /// The source port of all hops; nil if each probe had its own.
    public let sourcePort: UInt16?
    public let stop: TraceStop
    /// nil if no router reported a smaller MTU.
    public let mtu: PathMTU?
    public let durationNanoseconds: Int64

    /// After this many silent hops in a row, a trace ends.
    public static let silentHopLimit = 5

    public init(
        target: IPAddress, hops: [TraceHop], reached: Bool, flow: TraceOptions.Flow, sourcePort: UInt16?,
        stop: TraceStop,
        mtu: PathMTU? = nil, durationNanoseconds: Int64
    ) {
        self.target = target
        self.hops = hops
        self.reached = reached
        self.flow = flow
        self.sourcePort = sourcePort
        self.stop = stop
        self.mtu = mtu
        self.durationNanoseconds = durationNanoseconds
    }

    /// The hop with the largest TTL that answered; nil if none did.
    public var lastAnswer: TraceHop? { hops.last { $0.from != nil } }
}

/// One hop of a trace: the answer to probes with one TTL.
public struct TraceHop: Hashable, Sendable {
    /// 1 … 255.
    public let ttl: Int
    /// The sender of the answer; nil for a silent hop.
    public var from: IPAddress?
    /// nil for a silent hop.
    public var rttNanoseconds: Int64?
    /// nil for a silent hop, and if the target answered without an ICMP message.
    public var icmp: ICMPMessage?
    /// Why the path ends at this hop; nil if it continues, and for a silent hop.
    public var stop: TraceStop?
    /// Further addresses that answered probes with this TTL, which took another path.
    public var others: [IPAddress]

    public init(
        ttl: Int, from: IPAddress? = nil, rttNanoseconds: Int64? = nil, icmp: ICMPMessage? = nil,
        stop: TraceStop? = nil, others: [IPAddress] = []
    ) {
        self.ttl = ttl
        self.from = from
        self.rttNanoseconds = rttNanoseconds
        self.icmp = icmp
        self.stop = stop
        self.others = others
    }
}

/// Why a trace ended.
public enum TraceStop: String, CaseIterable, Sendable {
    /// The target accepted the connection, or answered a datagram.
    case reached
    /// The target refused: a reset, or an ICMP message that its port or protocol is unreachable.
    case refused
    /// An ICMP message says that the target is unreachable or prohibited, or this machine has no route to it.
    case unreachable
    /// No answers from several hops in a row.
    case gap
    /// The time of the trace ended.
    case deadline
    /// The largest TTL was reached.
    case maxTTL = "max_ttl"
    /// The policy denies the address. Nothing was sent.
    case policy
}

/// A path MTU that a router reported.
public struct PathMTU: Hashable, Sendable {
    /// The smallest one that was reported, in bytes.
    public let value: Int
    /// The router that reported it.
    public let from: IPAddress
    /// The router's hop; nil if it is not in the trace.
    public let ttl: Int?

    public init(value: Int, from: IPAddress, ttl: Int?) {
        self.value = value
        self.from = from
        self.ttl = ttl
    }
}
