/// A block of addresses in CIDR notation, RFC 4632 and RFC 4291 section 2.3.
public struct AddressRange: Hashable, Sendable {
    /// The first address: all bits after the prefix are zero, and it has no zone.
    public let base: IPAddress
    /// 0 … 32 for IPv4, 0 … 128 for IPv6.
    public let prefixLength: Int

    /// Reads `10.0.0.0/8` or `2001:db8::/32`; a bare address is a block of one.
    ///
    /// - Throws: Why the text is invalid: not an address, a zone, a prefix length out of range, or bits set after the
    ///   prefix.
    public init(parsing text: some StringProtocol) throws(AddressRangeError) {
        let text = String(text)
        let bytes = text.utf8.span
        let slash = bytes.firstOffset(of: .slash)
        guard let base = IPAddress(parsing: bytes.extracting(first: slash ?? bytes.count)) else {
            throw AddressRangeError("\"\(VisibleText.excerpt(of: text))\" does not begin with an IPv4 or IPv6 address")
        }
        guard let slash else {
            try self.init(base: base, prefixLength: base.bitWidth)
            return
        }
        guard let prefixLength = bytes.extracting(droppingFirst: slash + 1).prefixLength else {
            throw AddressRangeError("the prefix length of \"\(VisibleText.excerpt(of: text))\" is not a decimal number")
        }
        try self.init(base: base, prefixLength: prefixLength)
    }

    /// - Throws: An error if the length is out of range, bits are set after the prefix, or the address has a zone.
    public init(base: IPAddress, prefixLength: Int) throws(AddressRangeError) {
        guard (0...base.bitWidth).contains(prefixLength) else {
            throw AddressRangeError("the prefix length of \(base.text) must be within 0…\(base.bitWidth)")
        }
        if case .v6(let address) = base, address.zone != nil {
            throw AddressRangeError("an address block must not have a zone")
        }
        let masked = base.masked(toPrefixLength: prefixLength)
        guard masked == base else {
            let block = "\(masked.text)/\(prefixLength)"
            throw AddressRangeError("\(base.text)/\(prefixLength) has bits set after its prefix: write \(block)")
        }
        self.base = base
        self.prefixLength = prefixLength
    }

    /// Makes the block of one address, without its zone.
    public init(_ address: IPAddress) {
        base = address.masked(toPrefixLength: address.bitWidth)
        prefixLength = address.bitWidth
    }

    /// Whether the address is in the block. Zones are ignored; an address of the other family never is.
    public func contains(_ address: IPAddress) -> Bool {
        switch (base, address) {
        case (.v4(let base), .v4(let address)):
            (base.bits ^ address.bits) >> UInt32(32 - prefixLength) == 0
        case (.v6(let base), .v6(let address)):
            (base.bits ^ address.bits) >> UInt128(128 - prefixLength) == 0
        case (.v4, .v6), (.v6, .v4):
            false
        }
    }

    /// Whether the block is one address: a /32 or /128.
    public var isSingleAddress: Bool { prefixLength == base.bitWidth }

    public var text: String { "\(base.text)/\(prefixLength)" }
}

/// Why a text is not an address block: a lowercase phrase without a period.
public struct AddressRangeError: Error, Hashable, Sendable {
    public let detail: String

    public init(_ detail: String) {
        self.detail = detail
    }
}

extension IPAddress {
    /// 32 or 128.
    public var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// Returns the address with zeros after the prefix, and without a zone.
    fileprivate func masked(toPrefixLength length: Int) -> IPAddress {
        switch self {
        case .v4(let address):
            .v4(IPv4Address(bits: address.bits & ~(UInt32.max >> UInt32(length))))
        case .v6(let address):
            .v6(IPv6Address(bits: address.bits & ~(UInt128.max >> UInt128(length))))
        }
    }
}

extension Span<UInt8> {
    /// One to three decimal digits without leading zeros.
    fileprivate var prefixLength: Int? {
        guard (1...3).contains(count) && (count == 1 || self[0] != UInt8(ascii: "0")) else { return nil }
        var value = 0
        for offset in 0..<count {
            guard let digit = self[offset].decimalDigit else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
