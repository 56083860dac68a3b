/// One connect(2) to one address, and what came of it.
package struct AttemptResult: Sendable {
    package var endpoint: Endpoint
    package var outcome: Outcome
    /// Where the attempt ended; `done` for a success.
    package var phase: Phase
    package var error: ErrorReport?
    /// getsockname(2), for internet sockets that have one.
    package var local: IPEndpoint?
    /// getpeername(2), once connected.
    package var peer: IPEndpoint?
    /// SO_PEERCRED, of a connected UNIX-domain socket.
    package var peerCredentials: PeerCredentials?
    /// Since the check began (behind the queue), nanoseconds.
    package var startNanoseconds: Int64
    package var durationNanoseconds: Int64
    /// The ICMP message behind the error, where there was one.
    package var icmp: ICMPMessage?
    package var tcpInformation: TCPInformation?

    package init(endpoint: Endpoint, outcome: Outcome, phase: Phase, startNanoseconds: Int64) {
        self.endpoint = endpoint
        self.outcome = outcome
        self.phase = phase
        self.startNanoseconds = startNanoseconds
        self.durationNanoseconds = 0
    }
}

/// Who listens on a UNIX-domain socket: SO_PEERCRED of unix(7).
package struct PeerCredentials: Hashable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}

/// An ICMP or ICMPv6 message, as ip(7)'s error queue gives it.
package struct ICMPMessage: Hashable, Sendable {
    package let family: AddressFamily
    package let type: UInt8
    package let code: UInt8
    /// Who sent it.
    package let from: IPAddress

    package init(family: AddressFamily, type: UInt8, code: UInt8, from: IPAddress) {
        self.family = family
        self.type = type
        self.code = code
        self.from = from
    }
}

/// A part of the kernel's TCP_INFO, tcp(7).
package struct TCPInformation: Hashable, Sendable {
    /// SYNs that were sent again before the connection was there.
    package let synRetransmits: UInt32
    package let rttMicroseconds: UInt32
    package let rttVarianceMicroseconds: UInt32
    package let retransmits: UInt32
    package let sendMSS: UInt32
    package let pathMTU: UInt32

    package init(
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
