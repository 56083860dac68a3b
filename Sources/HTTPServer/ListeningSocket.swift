internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// A listening socket, and the file that it made.
final class ListeningSocket: Sendable {
    let descriptor: Descriptor
    /// As given, with the port that the kernel chose.
    let address: ListenAddress
    let purpose: Listener.Purpose
    /// Whether another process has it too, and goes on with it.
    let isInherited: Bool
    private let file: SocketFile?
    /// The file of a UNIX-domain socket, whether connectd or systemd made it.
    let fileIdentity: FileIdentity?

    /// socket(2), bind(2), listen(2). A port or a file that somebody listens on is an error, never shared.
    init(_ listener: Listener) throws(HTTPServiceError) {
        purpose = listener.purpose
        isInherited = listener.inherited != nil
        if let inherited = listener.inherited {
            descriptor = Descriptor(adopting: inherited)
            address = listener.address
            // Whoever made it takes its file away.
            file = nil
            fileIdentity = Self.identity(of: address)
            return
        }
        let address = listener.address
        do throws(Errno) {
            switch address {
            case .ip(let endpoint):
                descriptor = try Self.listen(on: endpoint)
                self.address = .ip(Self.name(of: descriptor.rawValue) ?? endpoint)
                file = nil
                fileIdentity = nil
            case .unix(let path, let mode):
                descriptor = try Self.listen(on: path, mode: mode_t(mode))
                file = SocketFile(path)
                self.address = address
                fileIdentity = Self.identity(of: address)
            }
        } catch {
            throw .cannotListen(address, error)
        }
    }

    /// Takes the socket's file away, if it is still ours. The descriptor is closed with the last reference.
    func removeFile() {
        file?.remove()
    }

    private static func identity(of address: ListenAddress) -> FileIdentity? {
        switch address {
        case .ip: nil
        case .unix(let path, _): (try? Descriptor.openPath(path))?.fileIdentity()
        }
    }

    private static func listen(on endpoint: IPEndpoint) throws(Errno) -> Descriptor {
        let domain = endpoint.address.family == .ipv4 ? AF_INET : AF_INET6
        let descriptor = try SystemCall.socket(domain: domain, type: connectd_sock_stream)
        // For the TIME_WAITs of an earlier run only. SO_REUSEPORT would share the port with another process in silence.
        try SystemCall.setOption(descriptor.rawValue, level: SOL_SOCKET, name: SO_REUSEADDR, value: 1)
        let number = descriptor.rawValue
        try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
            guard CLinux.bind(number, name, length) == 0 else { throw .current }
        }
        guard CLinux.listen(number, SOMAXCONN) == 0 else { throw .current }
        return descriptor
    }

    private static func listen(on path: [UInt8], mode: mode_t) throws(Errno) -> Descriptor {
        let descriptor = try SystemCall.socket(domain: AF_UNIX, type: connectd_sock_stream)
        do throws(Errno) {
            try bind(descriptor.rawValue, to: path)
        } catch {
            guard error == Errno(EADDRINUSE), SocketFile.removeStale(at: path) else { throw error }
            try bind(descriptor.rawValue, to: path)
        }
        // Nobody gets in between: as long as it does not listen, connect(2) is refused.
        try SocketFile.setMode(of: path, to: mode)
        guard CLinux.listen(descriptor.rawValue, SOMAXCONN) == 0 else { throw .current }
        return descriptor
    }

    private static func bind(_ number: Int32, to path: [UInt8]) throws(Errno) {
        try SocketName.withName(of: .path(path)) { (name, length) throws(Errno) in
            guard CLinux.bind(number, name, length) == 0 else { throw .current }
        }
    }

    private static func name(of number: Int32) -> IPEndpoint? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            // SAFETY: the kernel writes a socket address of at most `length` bytes.
            getsockname(number, UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length)
        }
        return result == 0 ? SocketName.endpoint(from: storage) : nil
    }
}
