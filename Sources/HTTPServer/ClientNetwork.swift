internal import NetworkTypes

/// The network of a client, as limits per client count it: an IPv4 address, or the /64 of an IPv6 address, which usually
/// belongs to one machine.
public struct ClientNetwork: Hashable, Sendable {
    private let bits: UInt128
    private let isIPv6: Bool

    /// - Returns: nil for a client of a UNIX-domain socket.
    public init?(of peer: Peer) {
        guard case .ip(let endpoint) = peer else { return nil }
        switch endpoint.address {
        case .v4(let address):
            (bits, isIPv6) = (UInt128(address.bits), false)
        // A listener of both families shows IPv4 clients as ::ffff:a.b.c.d.
        case .v6(let address) where address.bits >> 32 == 0xFFFF:
            (bits, isIPv6) = (address.bits & 0xFFFF_FFFF, false)
        case .v6(let address):
            (bits, isIPv6) = (address.bits & ~UInt128(UInt64.max), true)
        }
    }

    /// The address, or the prefix as `2001:db8::/64`.
    public var text: String {
        isIPv6 ? IPv6Address(bits: bits).text + "/64" : IPv4Address(bits: UInt32(truncatingIfNeeded: bits)).text
    }
}
