public import CheckModel
internal import CLinux

/// Whole files, read(2).
public enum FileContents {
    /// Reads until the end.
    /// - Parameters:
    ///   - limit: bytes; a longer file throws EFBIG.
    ///   - deadline: until when who writes into a pipe is waited for; ETIMEDOUT after that. The descriptor must not block then.
    public static func read(
        _ descriptor: Int32, limit: Int = 16 << 20, until deadline: MonotonicTime? = nil
    ) throws(Errno) -> [UInt8] {
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            if let deadline { try wait(for: descriptor, until: deadline) }
            let count = CLinux.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                let error = Errno.current
                if error.rawValue == EINTR { continue }
                throw error
            }
            if count == 0 { return contents }
            contents += buffer[..<count]
            if contents.count > limit { throw Errno(EFBIG) }
        }
    }

    private static func wait(for descriptor: Int32, until deadline: MonotonicTime) throws(Errno) {
        while true {
            let now = Clock.now()
            guard now < deadline else { throw Errno(ETIMEDOUT) }
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = (deadline.nanoseconds - now.nanoseconds) / 1_000_000 + 1
            if poll(&watched, 1, Int32(clamping: milliseconds)) > 0 { return }
        }
    }
}
