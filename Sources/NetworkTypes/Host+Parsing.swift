extension Host {
    /// Reads a host as a target's URL has it, without brackets around IPv6.
    init(nameOrQuad bytes: Span<UInt8>) throws(TargetError) {
        if let address = IPv4Address(parsing: bytes) {
            self = .address(.v4(address))
            return
        }
        try bytes.refuseWhatIsNoHostName()
        self = .name(bytes.decoded())
    }

    /// Reads what stands in brackets.
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
    public init(member text: String) throws(TargetError) {
        let bytes = text.utf8.span
        if bytes.firstOffset(of: .colon) == nil {
            for offset in 0..<bytes.count { try bytes[offset].refuseInAuthority() }
            try self.init(nameOrQuad: bytes)
        } else if let address = IPv6Address(parsing: bytes) {
            self = .address(.v6(address))
        } else {
            throw TargetError(
                "the host has a colon but is not an IPv6 address, which is written without brackets here", member: .host
            )
        }
    }

    /// As a URL has it: IPv6 in brackets.
    var urlText: String {
        switch self {
        case .address(.v4(let address)): address.text
        case .address(.v6(let address)): "[\(address.text)]"
        case .name(let name): name
        }
    }
}

extension Span<UInt8> {
    fileprivate func refuseWhatIsNoHostName() throws(TargetError) {
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
        for offset in 0..<count {
            let byte = self[offset]
            let isAllowed = byte.isASCIILetter || byte.decimalDigit != nil
            guard isAllowed || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") else {
                throw TargetError(
                    byte == .percent
                        ? "the host must not contain a percent sign: nothing is decoded"
                        : "the host must consist of letters, digits, \"-\", \"_\" and \".\"",
                    member: .host)
            }
        }
        guard count <= 63 else { throw TargetError("a label of the host must have at most 63 bytes", member: .host) }
    }

    /// A name whose last label is a number, also a hexadecimal one, would be an address to inet_aton(3) and to browsers.
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
