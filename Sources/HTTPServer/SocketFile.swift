internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// The file of a listening UNIX-domain socket, known by device and inode: another process may have put its own in
/// that place since.
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

    /// Removes a socket that nobody listens on any more, and nothing else.
    /// - Returns: whether the name is free now.
    static func removeStale(at path: [UInt8]) -> Bool {
        guard let status = status(of: path), status.st_mode & mode_t(S_IFMT) == mode_t(S_IFSOCK), isDeserted(path)
        else { return false }
        return withCString(path) { unlink($0) } == 0
    }

    static func setMode(of path: [UInt8], to mode: mode_t) throws(Errno) {
        guard withCString(path, { chmod($0, mode) }) == 0 else { throw .current }
    }

    /// A full backlog (EAGAIN) or another kind of socket (EPROTOTYPE) belongs to somebody.
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
            // SAFETY: the buffer has at least the closing NUL, so it has an address.
            body(buffer.baseAddress.unsafelyUnwrapped)
        }
    }
}
