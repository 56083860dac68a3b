public import NetworkTypes

extension IPAddress {
    /// Every IPv4 address that the IPv6 address may stand for, each once; empty for IPv4 addresses and most of IPv6.
    ///
    /// Mapped and compatible (RFC 4291), translated (RFC 2765), NAT64 in `64:ff9b::/96`, `64:ff9b:1::/48` and
    /// `nat64Prefixes` (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo's server and client (RFC 4380), ISATAP (RFC 5214).
    public func embeddedIPv4(nat64Prefixes: [NAT64Prefix] = []) -> [IPv4Address] {
        guard case .v6(let address) = self else { return [] }
        var found: [IPv4Address] = []
        func add(_ bits: UInt32) {
            let address = IPv4Address(bits: bits)
            if !found.contains(address) { found.append(address) }
        }
        for prefix in nat64Prefixes {
            if let inside = prefix.embeddedIPv4(in: address) { add(inside.bits) }
        }
        let isConfigured = !found.isEmpty
        if address.holdsIPv4AtItsEnd { add(UInt32(truncatingIfNeeded: address.bits)) }
        if address.bits >> 80 == 0x0064_FF9B_0001, !isConfigured { address.localTranslations.forEach { add($0.bits) } }
        if address.is6to4 { add(UInt32(truncatingIfNeeded: address.bits >> 80)) }
        if address.bits >> 96 == 0x2001_0000 {
            add(UInt32(truncatingIfNeeded: address.bits >> 64))
            add(~UInt32(truncatingIfNeeded: address.bits))
        }
        return found
    }
}

extension IPv6Address {
    /// `::ffff:0:0/96`.
    public var isMapped: Bool { bits >> 32 == 0xFFFF }

    /// `2002::/16`.
    var is6to4: Bool { bits >> 112 == 0x2002 }

    /// `64:ff9b::/96`, the Well-Known Prefix.
    var isWellKnownNAT64: Bool { bits >> 32 == 0x0064_FF9B_0000_0000_0000_0000 }

    /// Mapped, compatible (but `::` and `::1`), translated, Well-Known Prefix, or ISATAP, in whose interface identifier
    /// the universal and group bits may be set.
    fileprivate var holdsIPv4AtItsEnd: Bool {
        if isMapped || isWellKnownNAT64 || bits >> 32 == 0xFFFF_0000 { return true }
        if bits >> 32 == 0 { return bits > 1 }
        return UInt32(truncatingIfNeeded: bits >> 32) & ~0x0300_0000 == 0x5EFE
    }

    /// What an address in `64:ff9b:1::/48` may mean: RFC 8215 leaves the length of the prefix to each network.
    ///
    /// Each length of 48 or more is tried. The padding of one layout reads as `0.x.y.z` in another, so such readings count
    /// only if there is no better one; a configured prefix ends the guessing.
    fileprivate var localTranslations: [IPv4Address] {
        let readings = [48, 56, 64, 96].map(translatedIPv4(prefixLength:))
        let likely = readings.filter { $0.bits >> 24 != 0 }
        return likely.isEmpty ? readings : likely
    }
}

/// A prefix under which translators put IPv4 addresses, RFC 6052 section 2.2.
public struct NAT64Prefix: Hashable, Sendable {
    public let range: AddressRange

    public static let lengths = [32, 40, 48, 56, 64, 96]

    /// - Throws: If the block is not IPv6, or its length is none of 32, 40, 48, 56, 64 and 96.
    public init(_ range: AddressRange) throws(AddressRangeError) {
        guard range.base.family == .ipv6, Self.lengths.contains(range.prefixLength) else {
            throw AddressRangeError(
                "\(range.text) is not a NAT64 prefix: write an IPv6 block with /32, /40, /48, /56, /64 or /96")
        }
        self.range = range
    }

    /// The IPv4 address inside, or nil for an address outside of the prefix.
    public func embeddedIPv4(in address: IPv6Address) -> IPv4Address? {
        guard range.contains(.v6(address)) else { return nil }
        return address.translatedIPv4(prefixLength: range.prefixLength)
    }
}

extension IPv6Address {
    /// The IPv4 address behind a NAT64 prefix of that length. Bits 64 to 71 and the suffix are passed over, whatever they hold.
    func translatedIPv4(prefixLength: Int) -> IPv4Address {
        guard prefixLength < 96 else { return IPv4Address(bits: UInt32(truncatingIfNeeded: bits)) }
        let upper = bits & (UInt128.max << 64)
        let lower = bits & (UInt128.max >> 72)
        return IPv4Address(bits: UInt32(truncatingIfNeeded: (upper | lower << 8) >> UInt128(96 - prefixLength)))
    }
}
