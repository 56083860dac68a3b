public import CheckModel
internal import CLinux

/// What socket(2) is asked for.
public enum SocketKind: Hashable, Sendable {
    case tcp(AddressFamily)
    /// Multipath TCP, IPPROTO_MPTCP.
    case mptcp(AddressFamily)
    case udp(AddressFamily)
    case unix(UnixSocketType)

    /// AF_INET, AF_INET6 or AF_UNIX.
    public var domain: Int32 {
        switch self {
        case .tcp(.ipv4), .mptcp(.ipv4), .udp(.ipv4): AF_INET
        case .tcp(.ipv6), .mptcp(.ipv6), .udp(.ipv6): AF_INET6
        case .unix: AF_UNIX
        }
    }

    var type: Int32 {
        switch self {
        case .tcp, .mptcp, .unix(.stream): connectd_sock_stream
        case .udp, .unix(.dgram): connectd_sock_dgram
        case .unix(.seqpacket): connectd_sock_seqpacket
        }
    }

    var protocolNumber: Int32 {
        switch self {
        case .mptcp: Self.mptcpNumber
        case .tcp, .udp, .unix: 0
        }
    }

    /// IPPROTO_MPTCP, which the C library of Debian 12 names only as an enumerator.
    private static let mptcpNumber: Int32 = 262
}
