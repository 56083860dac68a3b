/// An IP address with a port, as connect(2) takes it and getsockname(2) returns it.
public struct IPEndpoint: Hashable, Sendable {
    public let address: IPAddress
    /// 0 … 65535.
    public let port: UInt16

    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// The name of a UNIX-domain socket on Linux, in bytes.
public enum UnixAddress: Hashable, Sendable {
    /// A path in the file system: not empty, without NUL, of any length (connect(2) takes up to 107 bytes).
    case path([UInt8])
    /// A name in Linux's abstract namespace, without the leading NUL.
    case abstract([UInt8])

    /// The path, or `@name`. Invalid UTF-8 becomes U+FFFD.
    public var text: String {
        switch self {
        case .path(let bytes): String(decoding: bytes, as: UTF8.self)
        case .abstract(let bytes): "@" + String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// The destination of one attempt.
public enum Endpoint: Hashable, Sendable {
    case ip(IPEndpoint)
    case unix(UnixAddress)

    /// The IP address; nil for UNIX-domain sockets.
    public var internetAddress: IPAddress? {
        switch self {
        case .ip(let endpoint): endpoint.address
        case .unix: nil
        }
    }
}

extension UnixAddress {
    /// The limit for paths and names in targets. connect(2) takes 107 bytes; a check with a longer path ends as
    /// ENAMETOOLONG.
    public static let limitBytes = 4096

    /// Reads the rest of a URL after `unix:`: a path (after `//` if the URL has an empty authority), or `@name`.
    init(urlRest bytes: Span<UInt8>) throws(TargetError) {
        guard bytes.hasLiteral("//", at: 0) else {
            try self.init(written: bytes)
            return
        }
        guard bytes.hasLiteral("///", at: 0) else {
            throw TargetError("a UNIX-domain target has no host: write unix:/path or unix:///path", member: .path)
        }
        try self.init(written: bytes.extracting(droppingFirst: 2))
    }

    /// Reads an absolute path, or `@` and an abstract name. Percent signs are not decoded.
    init(written bytes: Span<UInt8>) throws(TargetError) {
        guard bytes.count > 0 else { throw TargetError("the path is empty", member: .path) }
        guard bytes.count <= Self.limitBytes else {
            throw TargetError("the path must have at most \(Self.limitBytes) bytes", member: .path)
        }
        guard bytes.firstOffset(of: 0) == nil else {
            throw TargetError("the path must not contain a NUL", member: .path)
        }
        switch bytes[0] {
        case .slash:
            self = .path(Array(bytes))
        case .atSign:
            guard bytes.count > 1 else { throw TargetError("the abstract name after \"@\" is empty", member: .path) }
            self = .abstract(Array(bytes.extracting(droppingFirst: 1)))
        default:
            throw TargetError(
                "the path must be absolute: write unix:/path, or unix:@name for an abstract name", member: .path)
        }
    }
}

extension Array<UInt8> {
    init(_ span: Span<UInt8>) {
        self = span.withUnsafeBufferPointer { Array($0) }
    }
}

/// An address that the service listens on.
public enum ListenAddress: Hashable, Sendable {
    /// With port 0 the kernel chooses the port.
    case ip(IPEndpoint)
    /// A socket in the file system: an absolute path of up to 107 bytes, and the permissions of the file.
    case unix(path: [UInt8], mode: UInt16 = Self.defaultMode)

    /// Read and write for owner and group: connect(2) needs write permission.
    public static let defaultMode: UInt16 = 0o660

    /// The address as users write it.
    public var text: String {
        switch self {
        case .ip(let endpoint): endpoint.text
        case .unix(let path, let mode):
            "unix:" + String(decoding: path, as: UTF8.self)
                + (mode == Self.defaultMode ? "" : "?mode=0" + String(mode, radix: 8))
        }
    }

    /// Whether both are the same socket, ignoring the permissions.
    public func isSameSocket(as other: ListenAddress) -> Bool {
        switch (self, other) {
        case (.ip(let endpoint), .ip(let another)): endpoint == another
        case (.unix(let path, _), .unix(let another, _)): path == another
        case (.ip, .unix), (.unix, .ip): false
        }
    }

    /// Whether only this machine can reach the address: 127.0.0.0/8, ::1, and UNIX-domain sockets (protected by file
    /// permissions).
    public var isLocal: Bool {
        switch self {
        case .ip(let endpoint): endpoint.address.isLoopback
        case .unix: true
        }
    }
}

extension IPAddress {
    /// Whether the address is loopback, also in its IPv4-mapped form (`::ffff:127.0.0.1`).
    public var isLoopback: Bool {
        switch self {
        case .v4(let address): address.bits >> 24 == 127
        case .v6(let address): address.bits == 1 || address.bits >> 24 == (0xFFFF << 8 | 127)
        }
    }
}
