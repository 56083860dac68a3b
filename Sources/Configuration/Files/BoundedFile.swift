internal import CLinux
internal import CheckModel
internal import Glibc
internal import SocketIO

/// A small file, read as a whole.
struct BoundedFile {
    /// 1 MiB: far more than any configuration, far less than memory.
    static let maximumBytes = 1 << 20

    /// How long who writes into a pipe is waited for: neither a start nor a reload may stand in the way of SIGTERM for long.
    static let waitMilliseconds = 5000

    let bytes: [UInt8]
    /// Whether everybody on this machine may read it: the mode's `o+r`.
    let isWorldReadable: Bool

    /// Reads by open(2), fstat(2) and read(2). It waits a while where the file is a pipe.
    init(path: String) throws(ValueRefusal) {
        guard !path.utf8.contains(0) else { throw ValueRefusal("has a NUL in its name") }
        let descriptor = path.withCString(connectd_open_read_at_once)
        guard descriptor >= 0 else { throw Self.unreadable(.current) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(.current) }
        isWorldReadable = status.st_mode & S_IROTH != 0
        do throws(Errno) {
            bytes = try FileContents.read(
                descriptor, limit: Self.maximumBytes,
                until: Clock.now().advanced(byMilliseconds: Self.waitMilliseconds))
        } catch {
            throw Self.refusal(error)
        }
    }

    private static func refusal(_ error: Errno) -> ValueRefusal {
        switch error {
        case Errno(EFBIG): ValueRefusal("is larger than 1 MiB")
        case Errno(ETIMEDOUT): ValueRefusal("cannot be read: it is a pipe, and has not come to an end in 5 s")
        case _: unreadable(error)
        }
    }

    private static func unreadable(_ error: Errno) -> ValueRefusal {
        ValueRefusal("cannot be read: \(String(cString: strerror(error.rawValue)))")
    }
}
