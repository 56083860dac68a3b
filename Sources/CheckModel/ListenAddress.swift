/// Where the service listens.
public enum ListenAddress: Hashable, Sendable {
    /// Port 0 leaves the choice to the kernel.
    case ip(IPEndpoint)
    /// A socket in the file system: an absolute path of up to 107 bytes.
    case unix(path: [UInt8])

    /// As users write it.
    public var text: String {
        switch self {
        case .ip(let endpoint): endpoint.text
        case .unix(let path): "unix:" + String(decoding: path, as: UTF8.self)
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
