internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// A listening socket, and its file if it is a UNIX-domain socket.
final class ListeningSocket: Sendable {
    let descriptor: Descriptor
    /// As given, with the port that the kernel chose.
    let address: ListenAddress
    let purpose: Listener.Purpose
    /// Whether another process, such as systemd, made it and keeps it.
    let isInherited: Bool
    private let file: SocketFile?
    /// The file of a UNIX-domain socket, whether connectd or systemd made it.
    let fileIdentity: FileIdentity?

    /// socket(2), bind(2), listen(2). A port or file that is in use is an error; it is never shared.
    /// - Parameter bufferBytes: the kernel's buffers of each TCP connection; nil for the kernel's own choice.
    init(_ listener: Listener, bufferBytes: Int? = nil) throws(HTTPServiceError) {
        purpose = listener.purpose
        isInherited = listener.inherited != nil
        if let inherited = listener.inherited {
            descriptor = Descriptor(adopting: inherited)
            address = listener.address
            // The process that made the file removes it.
            file = nil
            fileIdentity = Self.identity(of: address)
            limitBuffers(to: bufferBytes)
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
        limitBuffers(to: bufferBytes)
    }

    /// Connections inherit the buffers of their listener. A sandbox may forbid it: then the kernel chooses.
    private func limitBuffers(to bytes: Int?) {
        guard case .ip = address, let bytes else { return }
        for name in [SO_RCVBUF, SO_SNDBUF] {
            try? SystemCall.setOption(descriptor.rawValue, level: SOL_SOCKET, name: name, value: Int32(clamping: bytes))
        }
    }

    /// Removes the socket's file, if it is still ours. The descriptor is closed with the last reference.
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
        // Only for sockets of an earlier run in TIME_WAIT. SO_REUSEPORT would silently share the port with another process.
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
        // Before listen(2), connect(2) is refused: no client gets in with the wrong mode.
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

/// The file of a listening UNIX-domain socket. It is identified by device and inode, since another process may have
/// replaced it.
struct SocketFile: Sendable {
    private let path: [UInt8]
    private let device: UInt
    private let inode: UInt

    init(_ path: [UInt8]) {
        let status = Self.status(of: path)
        self.path = path
        device = UInt(status?.st_dev ?? 0)
        inode = UInt(status?.st_ino ?? 0)
    }

    func remove() {
        guard let status = Self.status(of: path), UInt(status.st_dev) == device, UInt(status.st_ino) == inode else {
            return
        }
        _ = Self.withCString(path) { unlink($0) }
    }

    /// Removes a socket file that no process listens on. Any other file is left alone.
    /// - Returns: whether the name is free.
    static func removeStale(at path: [UInt8]) -> Bool {
        guard let status = status(of: path), status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK), isDeserted(path)
        else { return false }
        return withCString(path) { unlink($0) } == 0
    }

    static func setMode(of path: [UInt8], to mode: mode_t) throws(Errno) {
        guard withCString(path, { chmod($0, mode) }) == 0 else { throw .current }
    }

    /// Whether no process listens on a socket file. EAGAIN (full backlog) and EPROTOTYPE (other socket type) mean that one does.
    private static func isDeserted(_ path: [UInt8]) -> Bool {
        do throws(Errno) {
            let probe = try SystemCall.socket(domain: AF_UNIX, type: connectd_sock_stream)
            let number = probe.rawValue
            try SocketName.withName(of: .path(path)) { (name, length) throws(Errno) in
                try SystemCall.connect(number, to: name, length: length)
            }
            return false
        } catch {
            return error == Errno(ECONNREFUSED)
        }
    }

    private static func status(of path: [UInt8]) -> stat? {
        var status = stat()
        return withCString(path) { lstat($0, &status) } == 0 ? status : nil
    }

    private static func withCString<Result>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (path.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { buffer in
            // SAFETY: the buffer is not empty, since it ends in a NUL, so it has an address.
            body(buffer.baseAddress.unsafelyUnwrapped)
        }
    }
}
