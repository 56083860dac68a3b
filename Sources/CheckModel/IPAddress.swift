/// An IPv4 address in host byte order.
package struct IPv4Address: Hashable, Sendable {
    package let bits: UInt32

    package init(bits: UInt32) {
        self.bits = bits
    }
}

/// An IPv6 address in host byte order, with its zone where it needs one (RFC 4007).
package struct IPv6Address: Hashable, Sendable {
    package let bits: UInt128
    /// An interface's name or number, for link-local addresses; nil otherwise.
    package let zone: String?

    package init(bits: UInt128, zone: String? = nil) {
        self.bits = bits
        self.zone = zone
    }
}

/// An address of either family.
package enum IPAddress: Hashable, Sendable {
    case v4(IPv4Address)
    case v6(IPv6Address)

    package var family: AddressFamily {
        switch self {
        case .v4: .ipv4
        case .v6: .ipv6
        }
    }
}

/// The families of internet addresses.
package enum AddressFamily: String, CaseIterable, Sendable {
    case ipv4, ipv6
}
