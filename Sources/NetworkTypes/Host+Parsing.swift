extension Host {
    /// Reads a host name or a dotted quad from a target's URL.
    ///
    /// - Parameter isASCII: Whether all bytes are ASCII; otherwise it is an IDN, and becomes its ASCII form.
    init(nameOrQuad bytes: Span<UInt8>, isASCII: Bool) throws(TargetError) {
        if let address = IPv4Address(parsing: bytes) {
            self = .address(.v4(address))
            return
        }
        guard isASCII else {
            self = .name(try InternationalName.ascii(bytes.decoded()))
            return
        }
        try bytes.refuseWhatIsNoHostName()
        self = .name(bytes.decoded())
    }

    /// Reads the IPv6 address in brackets.
    init(ipv6 bytes: Span<UInt8>) throws(TargetError) {
        guard let address = IPv6Address(parsing: bytes) else {
            let zone = bytes.firstOffset(of: .percent)
            if let zone, IPv6Address(parsing: bytes.extracting(first: zone)) != nil {
                throw TargetError(
                    "the zone must be an interface name or number, after a link-local or multicast address",
                    member: .host)
            }
            throw TargetError("the text in brackets is not an IPv6 address", member: .host)
        }
        self = .address(.v6(address))
    }

    /// Reads the member `host` of a target's object form: a name, a dotted quad, or an IPv6 address without brackets.
    /// An IDN becomes its ASCII form.
    public init(member text: String) throws(TargetError) {
        let bytes = text.utf8.span
        if bytes.firstOffset(of: .colon) == nil {
            var isASCII = true
            for offset in 0..<bytes.count {
                try bytes[offset].refuseInAuthority()
                isASCII = isASCII && bytes[offset] < 0x80
            }
            try self.init(nameOrQuad: bytes, isASCII: isASCII)
        } else if let address = IPv6Address(parsing: bytes) {
            self = .address(.v6(address))
        } else {
            throw TargetError(
                "the host has a colon but is not an IPv6 address, which is written without brackets here", member: .host
            )
        }
    }

    /// The host as in a URL: IPv6 in brackets, and a name as `written`.
    func urlText(written: String) -> String {
        switch self {
        case .address(.v4(let address)): address.text
        case .address(.v6(let address)): "[\(address.text)]"
        case .name: written
        }
    }
}

extension Span<UInt8> {
    /// Refuses what is not a host name in ASCII.
    func refuseWhatIsNoHostName() throws(TargetError) {
        guard count > 0 else { throw TargetError("the host is empty", member: .host) }
        let length = self[count - 1] == .dot ? count - 1 : count
        var start = 0
        while true {
            let end = firstOffset(of: .dot, from: start) ?? count
            try extracting(start..<end).refuseWhatIsNoLabel()
            guard end < length else {
                try extracting(start..<end).refuseNumber()
                break
            }
            start = end + 1
        }
        guard length <= 253 else { throw TargetError("the host name must have at most 253 bytes", member: .host) }
    }

    private func refuseWhatIsNoLabel() throws(TargetError) {
        guard count > 0 else { throw TargetError("the host has an empty label", member: .host) }
        for offset in 0..<count { try self[offset].refuseInLabel() }
        guard count <= 63 else { throw TargetError("a label of the host must have at most 63 bytes", member: .host) }
        if count >= 4, self[3] == UInt8(ascii: "-"), self[2] == UInt8(ascii: "-"), self[0] | 0x20 == UInt8(ascii: "x"),
            self[1] | 0x20 == UInt8(ascii: "n")
        {
            try InternationalName.refuseBadLabel(self)
        }
    }

    /// Refuses a name whose last label is a number, decimal or hexadecimal: inet_aton(3) and browsers would read it as
    /// an address.
    private func refuseNumber() throws(TargetError) {
        let isHexadecimal = count >= 2 && self[0] == UInt8(ascii: "0") && self[1] | 0x20 == UInt8(ascii: "x")
        for offset in (isHexadecimal ? 2 : 0)..<count {
            guard (isHexadecimal ? self[offset].hexadecimalDigit : self[offset].decimalDigit) != nil else { return }
        }
        throw TargetError(
            "the host must be a dotted quad (four parts 0…255, no leading zeros), because its last label is a number",
            member: .host)
    }
}

extension UInt8 {
    /// Refuses an ASCII character that a label of a host name cannot have.
    func refuseInLabel() throws(TargetError) {
        let isAllowed = isASCIILetter || decimalDigit != nil
        guard isAllowed || self == UInt8(ascii: "-") || self == UInt8(ascii: "_") else {
            throw TargetError(
                self == .percent
                    ? "the host must not contain a percent sign: nothing is decoded"
                    : "the host must consist of letters, digits, \"-\", \"_\" and \".\"",
                member: .host)
        }
    }
}
