/// An internet address with a port: what connect(2) takes and getsockname(2) gives.
public struct IPEndpoint: Hashable, Sendable {
    public let address: IPAddress
    /// 0 … 65535.
    public let port: UInt16

    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// The name of a UNIX-domain socket, in bytes, as Linux has them.
public enum UnixAddress: Hashable, Sendable {
    /// A path in the file system; no NUL inside, not empty, any length (connect(2) takes up to 107 bytes).
    case path([UInt8])
    /// A name in Linux's abstract namespace, without the leading NUL.
    case abstract([UInt8])

    /// As users write it: the path, or `@name`. Bytes that are no UTF-8 show as U+FFFD.
    public var text: String {
        switch self {
        case .path(let bytes): String(decoding: bytes, as: UTF8.self)
        case .abstract(let bytes): "@" + String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// What one attempt connects to.
public enum Endpoint: Hashable, Sendable {
    case ip(IPEndpoint)
    case unix(UnixAddress)

    /// The address; nil for UNIX-domain sockets.
    public var internetAddress: IPAddress? {
        switch self {
        case .ip(let endpoint): endpoint.address
        case .unix: nil
        }
    }
}
