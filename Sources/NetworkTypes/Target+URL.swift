extension Target {
    /// Reads a target in its URL form: `tcp://host:port`, `tls://…`, `udp://…`, `unix:/path`, `unix:///path`, `unix:@name`,
    /// `unix+dgram:…`, `unix+seqpacket:…`, or a bare `host:port`, which is TCP.
    ///
    /// Schemes are case-insensitive. Nothing is decoded: a percent sign is refused in a host name, begins the zone of
    /// an IPv6 address in brackets, and is an ordinary character in a UNIX-domain path.
    /// - Throws: Why the target is invalid, and what to write instead if a guess is possible.
    public init(parsing text: String) throws(TargetError) {
        do throws(TargetError) {
            try self.init(exactly: text)
        } catch {
            guard let suggestion = TargetSuggestion.sentence(for: text) else { throw error }
            throw TargetError("\(error.detail); \(suggestion)", member: error.member)
        }
    }

    /// Same as `init(parsing:)`, but errors have no suggestion.
    init(exactly text: String) throws(TargetError) {
        let bytes = text.utf8.span
        guard bytes.count > 0 else { throw TargetError("the target is empty") }
        guard bytes.count <= Target.textLimitBytes else {
            throw TargetError("the target must have at most \(Target.textLimitBytes) bytes")
        }
        let (scheme, rest) = try bytes.splitScheme()
        if let type = scheme.unixSocketType {
            self.init(peer: .unix(type, try UnixAddress(urlRest: bytes.extracting(droppingFirst: rest))), text: text)
            return
        }
        let (host, port) = try bytes.extracting(droppingFirst: rest).hostAndPort()
        let isUDP = scheme == .udp || scheme == .quic
        self.init(
            peer: isUDP ? .udp(host, port: port) : .tcp(host, port: port), impliesTLS: scheme == .tls,
            impliesQUIC: scheme == .quic, text: text)
    }

    /// Room for the longest scheme and the longest path.
    private static let textLimitBytes = 32 + UnixAddress.limitBytes
}

extension Span<UInt8> {
    /// Returns the scheme (`tcp` if there is none) and the offset of the rest: after the colon for UNIX-domain sockets,
    /// after the two slashes for others.
    fileprivate func splitScheme() throws(TargetError) -> (TargetScheme, rest: Int) {
        if hasLiteral("tcp://", at: 0) { return (.tcp, 6) }
        guard let colon = firstOffset(of: .colon) else { return (.tcp, 0) }
        let scheme = TargetScheme(name: extracting(first: colon))
        if let scheme, scheme.unixSocketType != nil { return (scheme, colon + 1) }
        guard hasLiteral("://", at: colon) else { return (.tcp, 0) }
        guard let scheme else {
            throw TargetError("the scheme must be one of \(TargetScheme.list)", member: .transport)
        }
        return (scheme, colon + 3)
    }

    /// Returns the host and port after the scheme of tcp, tls, udp and quic.
    fileprivate func hostAndPort() throws(TargetError) -> (Host, port: UInt16) {
        let isASCII = try refuseWhatIsNoAuthority()
        guard count > 0 else { throw TargetError("the target has no host and no port: write host:port", member: .host) }
        if self[0] == UInt8(ascii: "[") { return try bracketedHostAndPort() }
        guard let colon = firstOffset(of: .colon) else {
            throw TargetError("the target has no port: write host:port", member: .port)
        }
        guard firstOffset(of: .colon, from: colon + 1) == nil else {
            throw TargetError(
                "the target has more than one colon: write an IPv6 address in brackets, as in [2001:db8::1]:443",
                member: .host)
        }
        let host = try Host(nameOrQuad: extracting(first: colon), isASCII: isASCII)
        return (host, try extracting(droppingFirst: colon + 1).port())
    }

    private func bracketedHostAndPort() throws(TargetError) -> (Host, port: UInt16) {
        guard let end = firstOffset(of: UInt8(ascii: "]")) else {
            throw TargetError("the IPv6 address has no closing bracket", member: .host)
        }
        let host = try Host(ipv6: extracting(1..<end))
        guard end + 1 < count else {
            throw TargetError("the target has no port: write [address]:port", member: .port)
        }
        guard self[end + 1] == .colon else {
            throw TargetError("the closing bracket must be followed by a colon and the port", member: .port)
        }
        return (host, try extracting(droppingFirst: end + 2).port())
    }

    /// Returns whether all bytes are ASCII.
    private func refuseWhatIsNoAuthority() throws(TargetError) -> Bool {
        var isASCII = true
        for offset in 0..<count {
            switch self[offset] {
            case .atSign: throw TargetError("the target must not have a user or password, got \"@\"", member: .host)
            case .slash:
                throw TargetError("the target must not have a path: write scheme://host:port without a slash after it")
            case UInt8(ascii: "?"): throw TargetError("the target must not have a query, got \"?\"")
            case UInt8(ascii: "#"): throw TargetError("the target must not have a fragment, got \"#\"")
            case 0x80...: isASCII = false
            default: try self[offset].refuseInAuthority()
            }
        }
        return isASCII
    }

    /// Returns the port from decimal digits or a name in `PortNames`.
    private func port() throws(TargetError) -> UInt16 {
        guard count > 0 else { throw TargetError("the port is empty", member: .port) }
        guard self[0].decimalDigit != nil else { return try TargetPort.name(decoded()).number() }
        var value = 0
        for offset in 0..<count {
            guard let digit = self[offset].decimalDigit else {
                throw TargetError("the port begins with a digit but is not a number", member: .port)
            }
            value = Swift.min(value * 10 + Int(digit), 100_000)
        }
        guard self[0] != UInt8(ascii: "0") || count == 1 else {
            throw TargetError("the port must not have leading zeros", member: .port)
        }
        return try TargetPort.number(value).number()
    }
}

extension UInt8 {
    /// Refuses bytes that are never part of a host or a port.
    func refuseInAuthority() throws(TargetError) {
        switch self {
        case 0: throw TargetError("must not contain a NUL", member: .host)
        case 0x20, 0x09...0x0D: throw TargetError("must not contain white space", member: .host)
        default: if isASCIIControl { throw TargetError("must not contain a control character", member: .host) }
        }
    }
}
