/// An IPv4 address in host byte order.
public struct IPv4Address: Hashable, Sendable {
    public let bits: UInt32

    public init(bits: UInt32) {
        self.bits = bits
    }
}

/// An IPv6 address in host byte order, with its zone where it needs one (RFC 4007).
///
/// Kept in two halves: a UInt128 would align every value that holds an address to 16 bytes, for which the allocator
/// takes its slow way.
public struct IPv6Address: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64
    private let zoneName: ZoneName?

    public init(bits: UInt128, zone: String? = nil) {
        high = UInt64(truncatingIfNeeded: bits >> 64)
        low = UInt64(truncatingIfNeeded: bits)
        zoneName = zone.map(ZoneName.init)
    }

    public var bits: UInt128 { UInt128(high) << 64 | UInt128(low) }

    /// An interface's name or number, for link-local addresses; nil otherwise.
    public var zone: String? { zoneName?.text }
}

/// The text of a zone, behind a reference: few addresses have one, and all would have to make room for it.
private final class ZoneName: Hashable, Sendable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: ZoneName, right: ZoneName) -> Bool { left.text == right.text }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

/// An address of either family.
public enum IPAddress: Hashable, Sendable {
    case v4(IPv4Address)
    case v6(IPv6Address)

    public var family: AddressFamily {
        switch self {
        case .v4: .ipv4
        case .v6: .ipv6
        }
    }
}

/// The families of internet addresses.
public enum AddressFamily: String, CaseIterable, Sendable {
    case ipv4, ipv6
}
