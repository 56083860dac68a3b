internal import AccessPolicy
public import NetworkTypes

/// The order in which the addresses of a name are tried.
public enum AddressSelection {
    /// Sorts destinations as RFC 6724 section 6 does. Destinations of equal rank keep their order.
    ///
    /// Rules 3 (deprecated sources), 4 (home addresses) and 7 (native transport) are not applied, because they depend on
    /// interfaces. Rule 9, the longest common prefix, applies to IPv6 only and to 64 bits at most. The prefix length of the
    /// source's network is not known here. For IPv4, the rule would defeat the round robin of name servers.
    /// - Parameter candidates: each destination with the source address that the kernel would choose; nil if there is none.
    public static func order(_ candidates: [(IPAddress, source: IPAddress?)]) -> [IPAddress] {
        candidates.enumerated()
            .map { (rank: rank(of: $1.0, from: $1.source), position: $0, address: $1.0) }
            .sorted { ($1.rank, $0.position) < ($0.rank, $1.position) }
            .map(\.address)
    }

    /// The largest number of addresses of one name that are tried. No service has more. A name server cannot turn one check
    /// into a flood.
    public static let largestCount = 128

    /// The first addresses in their order, `largestCount` at most. Each family gets up to half of them, so that neither
    /// displaces the other.
    public static func limit(_ addresses: [IPAddress]) -> [IPAddress] {
        guard addresses.count > largestCount else { return addresses }
        let sixes = addresses.count { $0.family == .ipv6 }
        let fours = addresses.count - sixes
        var leftOfSixes = min(sixes, max(largestCount / 2, largestCount - fours))
        var leftOfFours = largestCount - leftOfSixes
        return addresses.filter { address in
            switch address.family {
            case .ipv4:
                leftOfFours -= 1
                return leftOfFours >= 0
            case .ipv6:
                leftOfSixes -= 1
                return leftOfSixes >= 0
            }
        }
    }

    /// Alternates between the families, beginning with that of the first address: RFC 8305 section 4, with a First Address
    /// Family Count of 1. Addresses of one family keep their order.
    public static func interleave(_ addresses: [IPAddress]) -> [IPAddress] {
        guard let first = addresses.first?.family else { return [] }
        let preferred = addresses.filter { $0.family == first }
        let others = addresses.filter { $0.family != first }
        let pairs = zip(preferred, others).flatMap { [$0, $1] }
        let common = min(preferred.count, others.count)
        return pairs + preferred.dropFirst(common) + others.dropFirst(common)
    }

    /// The rank of a destination by rules 1, 2, 5, 6, 8 and 9, with rule 1 in the highest bits. The highest rank is tried first.
    private static func rank(of destination: IPAddress, from source: IPAddress?) -> UInt32 {
        let target = SelectionTraits(destination)
        var rank = UInt32(target.precedence) << 11 | UInt32(15 - target.scope) << 7
        guard let source else { return rank }
        let origin = SelectionTraits(source)
        rank |= 1 << 19
        if origin.scope == target.scope { rank |= 1 << 18 }
        if origin.label == target.label { rank |= 1 << 17 }
        return rank | UInt32(commonPrefixLength(destination, source))
    }

    /// CommonPrefixLen of RFC 6724 section 2.2; 0 unless both are IPv6.
    private static func commonPrefixLength(_ destination: IPAddress, _ source: IPAddress) -> Int {
        guard case .v6(let destination) = destination, case .v6(let source) = source else { return 0 }
        return destination.isMapped ? 0 : min((destination.bits ^ source.bits).leadingZeroBitCount, 64)
    }
}

/// The properties of an address that RFC 6724 compares.
private struct SelectionTraits {
    /// 0 … 15, as in multicast addresses: 2 link-local, 5 site-local, 14 global.
    let scope: UInt8
    /// 1 … 50.
    let precedence: UInt8
    let label: UInt8

    init(_ address: IPAddress) {
        let bits: UInt128
        switch address {
        case .v4(let address): bits = 0xFFFF_0000_0000 | UInt128(address.bits)
        case .v6(let address): bits = address.bits
        }
        scope = Self.scope(of: bits)
        (precedence, label) = Self.policy(for: bits)
    }

    /// Sections 3.1 and 3.2; loopback counts as link-local, RFC 4007 section 4.
    private static func scope(of bits: UInt128) -> UInt8 {
        let linkLocal: UInt8 = 2
        let siteLocal: UInt8 = 5
        let global: UInt8 = 14
        if bits >> 32 == 0xFFFF {
            return bits >> 24 & 0xFF == 127 || bits >> 16 & 0xFFFF == 0xA9FE ? linkLocal : global
        }
        if bits >> 120 == 0xFF { return UInt8(truncatingIfNeeded: bits >> 112) & 0xF }
        if bits >> 118 == 0xFE80 >> 6 || bits == 1 { return linkLocal }
        return bits >> 118 == 0xFEC0 >> 6 ? siteLocal : global
    }

    /// The default policy table of section 2.1, the longest prefix first.
    private static func policy(for bits: UInt128) -> (precedence: UInt8, label: UInt8) {
        if bits == 1 { return (50, 0) }
        if bits >> 32 == 0xFFFF { return (35, 4) }
        if bits >> 32 == 0 { return (1, 3) }
        if bits >> 96 == 0x2001_0000 { return (5, 5) }
        if bits >> 112 == 0x2002 { return (30, 2) }
        if bits >> 112 == 0x3FFE { return (1, 12) }
        if bits >> 118 == 0xFEC0 >> 6 { return (1, 11) }
        if bits >> 121 == 0xFC >> 1 { return (3, 13) }
        return (40, 1)
    }
}
