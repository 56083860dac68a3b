extension IPv4Address {
    /// Reads a dotted quad: four decimal parts, 0 … 255, without leading zeros; nil for anything else.
    ///
    /// It takes what inet_pton(3) takes. The shorthands of inet_aton(3) (`127.1`, `0x7f.1`, `2130706433`) are no addresses.
    public init?(parsing bytes: Span<UInt8>) {
        var bits: UInt32 = 0
        var offset = 0
        for part in 0..<4 {
            if part > 0 {
                guard offset < bytes.count, bytes[offset] == .dot else { return nil }
                offset += 1
            }
            guard let value = bytes.quadPart(at: &offset) else { return nil }
            bits = bits << 8 | value
        }
        guard offset == bytes.count else { return nil }
        self.init(bits: bits)
    }

    public init?(parsing text: some StringProtocol) {
        let text = String(text)
        self.init(parsing: text.utf8.span)
    }
}

extension IPv6Address {
    /// Reads an address in the forms of RFC 4291 section 2.2 (`2001:db8::1`, `::ffff:192.0.2.1`), with a zone behind a
    /// percent sign where its scope needs one (`fe80::1%eth0`); nil for anything else.
    ///
    /// Without a zone it takes what inet_pton(3) takes. A zone is an interface's name or number, and is refused at
    /// addresses that are neither link-local nor multicast.
    public init?(parsing bytes: Span<UInt8>) {
        guard let percent = bytes.firstOffset(of: .percent) else {
            guard let bits = bytes.ipv6Bits() else { return nil }
            self.init(bits: bits)
            return
        }
        let zone = bytes.extracting(droppingFirst: percent + 1)
        guard let bits = bytes.extracting(first: percent).ipv6Bits(), zone.isZone else { return nil }
        self.init(bits: bits, zone: zone.decoded())
        guard takesZone else { return nil }
    }

    public init?(parsing text: some StringProtocol) {
        let text = String(text)
        self.init(parsing: text.utf8.span)
    }

    /// Link-local unicast and multicast addresses need a zone; with others it would say nothing.
    private var takesZone: Bool {
        bits >> 118 == 0xFE80 >> 6 || bits >> 120 == 0xFF
    }
}

extension IPAddress {
    /// Reads an address literal of either family: a dotted quad, or an IPv6 address without brackets; nil for anything else.
    public init?(parsing bytes: Span<UInt8>) {
        if let address = IPv4Address(parsing: bytes) {
            self = .v4(address)
        } else if let address = IPv6Address(parsing: bytes) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    public init?(parsing text: some StringProtocol) {
        let text = String(text)
        self.init(parsing: text.utf8.span)
    }
}

extension Span<UInt8> {
    /// One part of a dotted quad at `offset`, which moves behind it.
    fileprivate func quadPart(at offset: inout Int) -> UInt32? {
        let start = offset
        var value: UInt32 = 0
        while offset < count, let digit = self[offset].decimalDigit {
            guard offset == start || value > 0 else { return nil }
            value = value * 10 + UInt32(digit)
            guard value <= 255 else { return nil }
            offset += 1
        }
        return offset == start ? nil : value
    }

    /// The 128 bits of an IPv6 address without a zone.
    fileprivate func ipv6Bits() -> UInt128? {
        var groups = IPv6Groups()
        var offset = 0
        if hasLiteral("::", at: 0) {
            groups.markGap()
            offset = 2
        }
        while offset < count {
            if let quad = quadTail(from: offset) {
                let fits = groups.append(UInt16(quad.bits >> 16)) && groups.append(UInt16(quad.bits & 0xFFFF))
                return fits ? groups.bits : nil
            }
            guard let group = hexadecimalGroup(at: &offset), groups.append(group) else { return nil }
            if offset == count { break }
            guard self[offset] == .colon else { return nil }
            offset += 1
            if offset == count { return nil }
            if self[offset] == .colon {
                guard groups.markGap() else { return nil }
                offset += 1
            }
        }
        return groups.bits
    }

    /// The dotted quad that the rest from `offset` is, if it is one.
    private func quadTail(from offset: Int) -> IPv4Address? {
        guard count - offset >= 7 && firstOffset(of: .dot, from: offset) != nil else { return nil }
        return IPv4Address(parsing: extracting(droppingFirst: offset))
    }

    /// One to four hexadecimal digits at `offset`, which moves behind them.
    private func hexadecimalGroup(at offset: inout Int) -> UInt16? {
        let start = offset
        var value: UInt16 = 0
        while offset < count, let digit = self[offset].hexadecimalDigit {
            guard offset - start < 4 else { return nil }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return offset == start ? nil : value
    }

    /// What Linux takes as an interface's name (dev_valid_name), as far as it is printable ASCII.
    fileprivate var isZone: Bool {
        guard (1...15).contains(count) else { return false }
        for offset in 0..<count {
            switch self[offset] {
            case .slash, .colon, .percent, UInt8(ascii: "["), UInt8(ascii: "]"): return false
            case 0x21...0x7E: continue
            default: return false
            }
        }
        return !(self[0] == .dot && (count == 1 || count == 2 && self[1] == .dot))
    }
}

/// The groups of an IPv6 address while it is read, with the place of its `::`.
private struct IPv6Groups {
    private var value: UInt128 = 0
    private var count = 0
    private var gap: Int?

    /// False if there are eight groups already.
    mutating func append(_ group: UInt16) -> Bool {
        guard count < 8 else { return false }
        value = value << 16 | UInt128(group)
        count += 1
        return true
    }

    /// False if there was a gap before.
    @discardableResult
    mutating func markGap() -> Bool {
        guard gap == nil else { return false }
        gap = count
        return true
    }

    /// Nil unless there are eight groups, or fewer with a gap, which stands for one group or more.
    var bits: UInt128? {
        guard let gap else { return count == 8 ? value : nil }
        guard count < 8 else { return nil }
        let behind = (count - gap) * 16
        let tail = value & ((UInt128(1) << behind) - 1)
        let head = gap == 0 ? 0 : (value >> behind) << (128 - gap * 16)
        return head | tail
    }
}
