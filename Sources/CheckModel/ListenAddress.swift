/// Where the service listens.
public enum ListenAddress: Hashable, Sendable {
    /// Port 0 leaves the choice to the kernel.
    case ip(IPEndpoint)
    /// A socket in the file system: an absolute path of up to 107 bytes, and the permissions of the file.
    case unix(path: [UInt8], mode: UInt16 = Self.defaultMode)

    /// For owner and group: connect(2) asks for the right to write.
    public static let defaultMode: UInt16 = 0o660

    /// As users write it.
    public var text: String {
        switch self {
        case .ip(let endpoint): endpoint.text
        case .unix(let path, let mode):
            "unix:" + String(decoding: path, as: UTF8.self)
                + (mode == Self.defaultMode ? "" : "?mode=0" + String(mode, radix: 8))
        }
    }

    /// Whether both are the same socket, whatever permissions are asked for.
    public func isSameSocket(as other: ListenAddress) -> Bool {
        switch (self, other) {
        case (.ip(let endpoint), .ip(let another)): endpoint == another
        case (.unix(let path, _), .unix(let another, _)): path == another
        case (.ip, .unix), (.unix, .ip): false
        }
    }

    /// Whether only this machine reaches it: 127.0.0.0/8, ::1, and UNIX-domain sockets, which file permissions guard.
    public var isLocal: Bool {
        switch self {
        case .ip(let endpoint): endpoint.address.isLoopback
        case .unix: true
        }
    }
}

extension IPAddress {
    /// An IPv4 loopback address within IPv6 (`::ffff:127.0.0.1`) is loopback too.
    fileprivate var isLoopback: Bool {
        switch self {
        case .v4(let address): address.bits >> 24 == 127
        case .v6(let address): address.bits == 1 || address.bits >> 24 == (0xFFFF << 8 | 127)
        }
    }
}
