/// The kind of socket that a UNIX-domain target listens on.
public enum UnixSocketType: String, CaseIterable, Sendable {
    case stream, dgram, seqpacket
}

/// A host of a target: an address, or a name that has to be resolved.
public enum Host: Hashable, Sendable {
    case address(IPAddress)
    /// ASCII, at most 253 bytes, as it was written (a trailing dot is kept: it switches search domains off).
    case name(String)
}

/// A peer, parsed once: what a check connects to.
public struct Target: Hashable, Sendable {
    public enum Peer: Hashable, Sendable {
        case tcp(Host, port: UInt16)
        case udp(Host, port: UInt16)
        case unix(UnixSocketType, UnixAddress)
    }

    public let peer: Peer
    /// True for `tls://`: the check goes on with a TLS handshake.
    public let impliesTLS: Bool
    /// What results echo: the URL as it was written, or the URL form of an object.
    public let text: String

    public init(peer: Peer, impliesTLS: Bool = false, text: String) {
        self.peer = peer
        self.impliesTLS = impliesTLS
        self.text = text
    }

    /// Whether the socket is a datagram socket: it is associated, not connected.
    public var isDatagram: Bool {
        switch peer {
        case .udp, .unix(.dgram, _): true
        case .tcp, .unix(.stream, _), .unix(.seqpacket, _): false
        }
    }
}
