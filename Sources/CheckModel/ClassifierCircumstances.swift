/// What was going on when an error came: all that the classification asks beside the number.
///
/// Small and copied freely. Only `phase` and `transport` are needed; each further member makes the answer sharper.
public struct Circumstances: Hashable, Sendable {
    /// What the socket speaks.
    public enum Transport: Hashable, Sendable {
        case tcp, udp
        case unix(UnixSocketType)

        public init(_ peer: Target.Peer) {
            switch peer {
            case .tcp: self = .tcp
            case .udp: self = .udp
            case .unix(let socketType, _): self = .unix(socketType)
            }
        }

        var isUnix: Bool {
            switch self {
            case .tcp, .udp: false
            case .unix: true
            }
        }
    }

    /// Which members of `bind` the request has.
    public struct RequestedBind: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        public static let address = RequestedBind(rawValue: 1)
        public static let port = RequestedBind(rawValue: 2)
        public static let interface = RequestedBind(rawValue: 4)

        public init(_ options: BindOptions) {
            self = []
            if options.address != nil { insert(.address) }
            if (options.port ?? 0) != 0 { insert(.port) }
            if options.interface != nil { insert(.interface) }
        }
    }

    /// Why a UNIX-domain path gave EACCES; both look the same to connect(2).
    public enum UnixAccess: Hashable, Sendable {
        case unknown
        /// No search permission on a directory of the path.
        case searchDenied
        /// No write permission on the socket.
        case writeDenied
        /// A call for the path did not return in time.
        case unanswered
    }

    public var phase: Phase
    public var transport: Transport
    public var requestedBind: RequestedBind = []
    /// Whether the request asked for TCP_MD5SIG: a wrong key is answered by silence.
    public var signsWithMD5 = false
    /// In phase `tls`: the peer was still being asked for TLS in its own protocol.
    public var isBeforeTLS = false
    /// The address that is connected to; nil for UNIX-domain sockets.
    public var destination: IPAddress?
    /// Whether that address was found by its name, and not written in the request.
    public var destinationIsResolved = false
    /// The address that the socket is bound to, as far as it is known.
    public var source: IPAddress?
    /// False when this machine has no address of the destination's family, not even on loopback.
    public var hasAddressOfFamily = true
    /// The ICMP message behind this very error.
    public var icmp: ICMPMessage?
    /// Who sent `icmp`; `ICMPMessage.sender(destination:isOurs:)` finds out.
    public var icmpSender: ICMPSender = .somebodyElse
    public var unixAccess: UnixAccess = .unknown
    /// Whether anything came from the peer: a completed connect, or bytes.
    public var peerSpoke = false

    public init(phase: Phase, transport: Transport) {
        self.phase = phase
        self.transport = transport
    }
}
