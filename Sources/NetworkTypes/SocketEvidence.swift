/// An ICMP or ICMPv6 message from the error queue of ip(7).
public struct ICMPMessage: Hashable, Sendable {
    public let family: AddressFamily
    public let type: UInt8
    public let code: UInt8
    /// The sender.
    public let from: IPAddress

    public init(family: AddressFamily, type: UInt8, code: UInt8, from: IPAddress) {
        self.family = family
        self.type = type
        self.code = code
        self.from = from
    }
}

/// A part of the kernel's TCP_INFO, tcp(7).
public struct TCPInformation: Hashable, Sendable {
    /// SYN retransmissions before the connection was established.
    public let synRetransmits: UInt32
    public let rttMicroseconds: UInt32
    public let rttVarianceMicroseconds: UInt32
    public let retransmits: UInt32
    public let sendMSS: UInt32
    public let pathMTU: UInt32

    /// SYNs that left this machine, retransmissions included. A SYN that this machine's own output rules drop counts until
    /// a retransmission shows the drop.
    public var synSent: UInt32
    /// Why no SYN left this machine; nil if one did, or if it is not known.
    public var unsent: UnsentSYN?

    public init(
        synRetransmits: UInt32, rttMicroseconds: UInt32, rttVarianceMicroseconds: UInt32, retransmits: UInt32,
        sendMSS: UInt32, pathMTU: UInt32, synSent: UInt32? = nil, unsent: UnsentSYN? = nil
    ) {
        self.synRetransmits = synRetransmits
        self.rttMicroseconds = rttMicroseconds
        self.rttVarianceMicroseconds = rttVarianceMicroseconds
        self.retransmits = retransmits
        self.sendMSS = sendMSS
        self.pathMTU = pathMTU
        self.synSent = synSent ?? 1 + synRetransmits
        self.unsent = unsent
    }

    /// Records that no SYN left this machine.
    public mutating func noteUnsent(_ reason: UnsentSYN) {
        synSent = 0
        unsent = reason
    }
}

/// Why no SYN left this machine. The raw value is the name in JSON.
public enum UnsentSYN: String, CaseIterable, Sendable {
    /// It waits for the link-layer address of the next hop, or in the queue of the interface.
    case queued
    /// An output rule, the route or a full queue of this machine dropped it.
    case dropped
}

/// The credentials of the listener of a UNIX-domain socket: SO_PEERCRED of unix(7).
public struct PeerCredentials: Hashable, Sendable {
    public let pid: Int32
    public let uid: UInt32
    public let gid: UInt32

    public init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}
