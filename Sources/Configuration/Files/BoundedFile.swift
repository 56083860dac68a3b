internal import CLinux
internal import CheckModel
internal import Glibc

/// A small file, read as a whole.
struct BoundedFile {
    /// 1 MiB: far more than any configuration, far less than memory.
    static let maximumBytes = 1 << 20

    let bytes: [UInt8]
    /// Whether everybody on this machine may read it: the mode's `o+r`.
    let isWorldReadable: Bool

    /// Reads by open(2), fstat(2) and read(2). It waits where the file is a pipe.
    init(path: String) throws(ValueRefusal) {
        guard !path.utf8.contains(0) else { throw ValueRefusal("has a NUL in its name") }
        let descriptor = path.withCString(connectd_open_read)
        guard descriptor >= 0 else { throw Self.unreadable(.current) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(.current) }
        isWorldReadable = status.st_mode & S_IROTH != 0
        bytes = try Self.readAll(descriptor)
    }

    private static func readAll(_ descriptor: Int32) throws(ValueRefusal) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                let error = Errno.current
                if error.rawValue == EINTR { continue }
                throw unreadable(error)
            }
            bytes += buffer[..<count]
            guard bytes.count <= maximumBytes else { throw ValueRefusal("is larger than 1 MiB") }
        }
    }

    private static func unreadable(_ error: Errno) -> ValueRefusal {
        ValueRefusal("cannot be read: \(String(cString: strerror(error.rawValue)))")
    }
}
