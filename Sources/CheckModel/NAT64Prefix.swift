/// A prefix under which translators put IPv4 addresses, RFC 6052 section 2.2.
public struct NAT64Prefix: Hashable, Sendable {
    public let range: AddressRange

    public static let lengths = [32, 40, 48, 56, 64, 96]

    /// - Throws: If the block is not IPv6, or its length is none of 32, 40, 48, 56, 64 and 96.
    public init(_ range: AddressRange) throws(AddressRangeError) {
        guard range.base.family == .ipv6, Self.lengths.contains(range.prefixLength) else {
            throw AddressRangeError("\(range.text) is no NAT64 prefix: that is an IPv6 /32, /40, /48, /56, /64 or /96.")
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
