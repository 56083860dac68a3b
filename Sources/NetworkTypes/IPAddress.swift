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

extension IPv4Address {
    /// As a dotted quad.
    public var text: String {
        String(unsafeUninitializedCapacity: Self.longestText) { putText(at: $0) }
    }

    /// The bytes of the longest dotted quad.
    public static let longestText = 15

    /// Puts the dotted quad into memory that has room for the longest, and says how many bytes it has.
    public func putText(at memory: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var writer = DigitWriter(buffer: memory)
        writer.writeQuad(bits)
        return writer.count
    }
}

extension IPv6Address {
    /// In the canonical form of RFC 5952, with `%` and the zone behind it where there is one.
    ///
    /// As its section 5 recommends, mapped, compatible and translated addresses end in a dotted quad. inet_ntop(3) writes
    /// the same but for translated addresses (`::ffff:0:c000:201`).
    public var text: String {
        guard let zone else { return textWithoutZone }
        return textWithoutZone + "%" + zone
    }

    /// The address alone, at most 45 bytes.
    private var textWithoutZone: String {
        String(unsafeUninitializedCapacity: 45) { buffer in
            var writer = DigitWriter(buffer: buffer)
            let end = endsInQuad ? 6 : 8
            let zeros = longestRunOfZeros(in: 0..<end)
            var index = 0
            while index < end {
                if index == zeros.lowerBound, !zeros.isEmpty {
                    writer.write(.colon)
                    if zeros.upperBound == 8 { writer.write(.colon) }
                    index = zeros.upperBound
                    continue
                }
                if index > 0 { writer.write(.colon) }
                writer.writeHexadecimal(group(index))
                index += 1
            }
            if end == 6 {
                writer.write(.colon)
                writer.writeQuad(UInt32(truncatingIfNeeded: bits))
            }
            return writer.count
        }
    }

    private func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * index))
    }

    /// The prefixes that RFC 4291 and RFC 2765 define for an IPv4 address in the last 32 bits.
    private var endsInQuad: Bool {
        switch bits >> 32 {
        case 0: bits >> 16 != 0
        case 0xFFFF, 0xFFFF_0000: true
        default: false
        }
    }

    /// The longest run of two or more groups of zeros, the first of equals; empty if there is none.
    private func longestRunOfZeros(in groups: Range<Int>) -> Range<Int> {
        var longest = 0..<0
        var start = groups.lowerBound
        for index in groups {
            guard group(index) == 0 else {
                start = index + 1
                continue
            }
            if index + 1 - start > max(longest.count, 1) { longest = start..<(index + 1) }
        }
        return longest
    }
}

extension IPAddress {
    /// A dotted quad, or the canonical form of RFC 5952 without brackets, with its zone.
    public var text: String {
        switch self {
        case .v4(let address): address.text
        case .v6(let address): address.text
        }
    }
}

extension IPEndpoint {
    /// `192.0.2.1:443`, `[2001:db8::1]:443`.
    public var text: String {
        switch address {
        case .v4(let address): "\(address.text):\(port)"
        case .v6(let address): "[\(address.text)]:\(port)"
        }
    }
}

/// Writes digits into memory that is large enough for them.
private struct DigitWriter {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    init(buffer: UnsafeMutableBufferPointer<UInt8>) {
        self.buffer = buffer
    }

    mutating func write(_ byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    mutating func writeQuad(_ bits: UInt32) {
        writeDecimal(UInt8(truncatingIfNeeded: bits >> 24))
        for shift: UInt32 in stride(from: 16, through: 0, by: -8) {
            write(.dot)
            writeDecimal(UInt8(truncatingIfNeeded: bits >> shift))
        }
    }

    private mutating func writeDecimal(_ value: UInt8) {
        if value >= 100 { write(UInt8(ascii: "0") + value / 100) }
        if value >= 10 { write(UInt8(ascii: "0") + value / 10 % 10) }
        write(UInt8(ascii: "0") + value % 10)
    }

    mutating func writeHexadecimal(_ value: UInt16) {
        var begun = false
        for shift: UInt16 in stride(from: 12, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> shift & 0xF)
            guard begun || digit > 0 || shift == 0 else { continue }
            begun = true
            write(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
