/// An ICMP or ICMPv6 message, as ip(7)'s error queue gives it.
public struct ICMPMessage: Hashable, Sendable {
    public let family: AddressFamily
    public let type: UInt8
    public let code: UInt8
    /// Who sent it.
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
    /// SYNs that were sent again before the connection was there.
    public let synRetransmits: UInt32
    public let rttMicroseconds: UInt32
    public let rttVarianceMicroseconds: UInt32
    public let retransmits: UInt32
    public let sendMSS: UInt32
    public let pathMTU: UInt32

    public init(
        synRetransmits: UInt32, rttMicroseconds: UInt32, rttVarianceMicroseconds: UInt32, retransmits: UInt32,
        sendMSS: UInt32, pathMTU: UInt32
    ) {
        self.synRetransmits = synRetransmits
        self.rttMicroseconds = rttMicroseconds
        self.rttVarianceMicroseconds = rttVarianceMicroseconds
        self.retransmits = retransmits
        self.sendMSS = sendMSS
        self.pathMTU = pathMTU
    }
}

/// Who listens on a UNIX-domain socket: SO_PEERCRED of unix(7).
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
