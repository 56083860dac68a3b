/// What the addresses of an attempt mean for its errors.
extension Circumstances {
    var sourceIsLoopback: Bool { Self.isLoopback(source) }
    var destinationIsLoopback: Bool { Self.isLoopback(destination) }

    /// Multicast, or 255.255.255.255; a network's own broadcast address cannot be told from the address alone.
    var destinationIsMulticastOrBroadcast: Bool {
        if let bits = Self.ipv4Bits(destination) { return bits >> 28 == 0xE || bits == .max }
        return Self.ipv6(destination).map { $0.bits >> 120 == 0xFF } ?? false
    }

    /// A link-local IPv6 address (fe80::/10) needs a zone: which link is meant (RFC 4007). So does a group whose scope is the
    /// interface or the link (ff01::, ff02::, RFC 4291, 2.7).
    var destinationLacksZone: Bool {
        guard let address = Self.ipv6(destination), address.zone == nil else { return false }
        let isNarrowGroup = address.bits >> 120 == 0xFF && (1...2).contains(address.bits >> 112 & 0xF)
        return address.bits >> 118 == 0x3FA || isNarrowGroup
    }

    /// Whether the request itself said which interface to use.
    var requestNamesInterface: Bool {
        requestedBind.contains(.interface) || Self.ipv6(destination)?.zone != nil
    }

    private static func isLoopback(_ address: IPAddress?) -> Bool {
        if let bits = ipv4Bits(address) { return bits >> 24 == 127 }
        return ipv6(address)?.bits == 1
    }

    /// The IPv4 address, also out of `::ffff:a.b.c.d`; nil for any other.
    private static func ipv4Bits(_ address: IPAddress?) -> UInt32? {
        switch address {
        case .v4(let address): address.bits
        case .v6(let address): address.bits >> 32 == 0xFFFF ? UInt32(truncatingIfNeeded: address.bits) : nil
        case nil: nil
        }
    }

    private static func ipv6(_ address: IPAddress?) -> IPv6Address? {
        switch address {
        case .v6(let address): address
        case .v4, nil: nil
        }
    }
}
