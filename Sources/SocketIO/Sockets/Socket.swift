internal import CLinux
public import NetworkTypes

/// A socket with one owner.
///
/// A stream socket connects once; a datagram socket can be associated, reassociated and dissolved any number of times.
public struct Socket: ~Copyable, Sendable {
    public let kind: SocketKind
    public let descriptor: Descriptor

    /// socket(2).
    public init(_ kind: SocketKind, nonBlocking: Bool = true) throws(Errno) {
        self.kind = kind
        descriptor = try SystemCall.socket(
            domain: kind.domain, type: kind.type, protocolNumber: kind.protocolNumber, nonBlocking: nonBlocking)
    }

    /// The descriptor number, valid during the lifetime of this value.
    public var number: Int32 { descriptor.rawValue }

    /// connect(2) to an endpoint: starts the attempt of a stream socket, or associates a datagram socket.
    ///
    /// EINPROGRESS and EINTR of an internet socket are not failures: the attempt continues (`inProgress`). EAGAIN and
    /// EINTR of a UNIX-domain socket are failures: no attempt is in progress after them.
    /// - Throws: Any other errno of connect(2); ENAMETOOLONG for a UNIX name of more than 107 bytes.
    public borrowing func connect(to endpoint: Endpoint) throws(Errno) -> ConnectStart {
        let number = descriptor.rawValue
        do throws(Errno) {
            switch endpoint {
            case .ip(let endpoint):
                try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
                    try SystemCall.connect(number, to: name, length: length)
                }
            case .unix(let address):
                try SocketName.withName(of: address) { (name, length) throws(Errno) in
                    try SystemCall.connect(number, to: name, length: length)
                }
            }
            return .complete
        } catch {
            guard continuesByItself(error) else { throw error }
            return .inProgress
        }
    }

    /// Whether the attempt continues after this error; a UNIX-domain connect never does.
    private func continuesByItself(_ error: Errno) -> Bool {
        if case .unix = kind { return false }
        return error.rawValue == EINPROGRESS || error.rawValue == EINTR
    }

    /// Dissolves a datagram socket's association: connect(2) to the null address, AF_UNSPEC.
    ///
    /// The socket receives from any sender again. It loses an address and port that were not passed to bind(2),
    /// including a port that bind(2) chose, and gets new ones with the next send. Datagrams that arrived before an
    /// association stay in the socket, from any sender.
    public borrowing func dissolve() throws(Errno) {
        var null = sockaddr()
        null.sa_family = sa_family_t(AF_UNSPEC)
        try SystemCall.connect(
            descriptor.rawValue, to: &null, length: socklen_t(MemoryLayout<sockaddr>.size))
    }

    /// bind(2).
    public borrowing func bind(to endpoint: IPEndpoint) throws(Errno) {
        let number = descriptor.rawValue
        try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
            guard CLinux.bind(number, name, length) == 0 else { throw .current }
        }
    }

    /// SO_ERROR: returns the error of a connect that was in progress; nil for success.
    public borrowing func takePendingError() throws(Errno) -> Errno? {
        try SystemCall.takePendingError(descriptor.rawValue)
    }

    /// getsockname(2); nil if the socket has no IP address.
    public borrowing func localName() -> IPEndpoint? {
        Self.localName(of: descriptor.rawValue)
    }

    static func localName(of number: Int32) -> IPEndpoint? {
        var storage = sockaddr_storage()
        guard readName(into: &storage, by: { getsockname(number, $0, $1) }) else { return nil }
        return SocketName.endpoint(from: storage)
    }

    /// getpeername(2); nil if there is no peer with an IP address.
    public borrowing func peerName() -> IPEndpoint? {
        var storage = sockaddr_storage()
        let number = descriptor.rawValue
        guard Self.readName(into: &storage, by: { getpeername(number, $0, $1) }) else { return nil }
        return SocketName.endpoint(from: storage)
    }

    private static func readName(
        into storage: inout sockaddr_storage,
        by call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> Bool {
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            // SAFETY: sockaddr_storage is made to hold every socket address, and `length` bounds what C writes.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) } == 0
        }
    }
}

/// The kind of socket for socket(2).
public enum SocketKind: Hashable, Sendable {
    case tcp(AddressFamily)
    /// Multipath TCP, IPPROTO_MPTCP.
    case mptcp(AddressFamily)
    case udp(AddressFamily)
    case unix(UnixSocketType)

    /// AF_INET, AF_INET6 or AF_UNIX.
    public var domain: Int32 {
        switch self {
        case .tcp(.ipv4), .mptcp(.ipv4), .udp(.ipv4): AF_INET
        case .tcp(.ipv6), .mptcp(.ipv6), .udp(.ipv6): AF_INET6
        case .unix: AF_UNIX
        }
    }

    var type: Int32 {
        switch self {
        case .tcp, .mptcp, .unix(.stream): connectd_sock_stream
        case .udp, .unix(.dgram): connectd_sock_dgram
        case .unix(.seqpacket): connectd_sock_seqpacket
        }
    }

    var protocolNumber: Int32 {
        switch self {
        case .mptcp: Self.mptcpNumber
        case .tcp, .udp, .unix: 0
        }
    }

    /// IPPROTO_MPTCP, which the C library of Debian 12 names only as an enumerator.
    private static let mptcpNumber: Int32 = 262
}

/// The result of connect(2) on a non-blocking socket that did not fail.
public enum ConnectStart: Sendable {
    /// Done: the call returned 0.
    case complete
    /// EINPROGRESS or EINTR: the attempt continues. When the socket is writable, SO_ERROR has the result.
    case inProgress
}

extension Socket {
    /// send(2), without SIGPIPE.
    /// - Returns: The number of bytes that the kernel accepted.
    /// - Throws: EAGAIN if the socket has no room; a pending error of the connection.
    public borrowing func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        try SystemCall.send(bytes, to: descriptor.rawValue)
    }

    /// recv(2) of at most `capacity` bytes.
    /// - Returns: The received bytes; empty at EOF and for an empty datagram.
    /// - Throws: EAGAIN if there is no data; a pending error of the connection.
    public borrowing func receive(atMost capacity: Int) throws(Errno) -> [UInt8] {
        try SystemCall.receive(from: descriptor.rawValue, atMost: capacity)
    }
}
