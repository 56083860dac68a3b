public import CheckModel
internal import CLinux

/// Whole files, read(2).
public enum FileContents {
    /// Reads until the end.
    /// - Parameter limit: bytes; a longer file throws EFBIG.
    public static func read(_ descriptor: Int32, limit: Int = 16 << 20) throws(Errno) -> [UInt8] {
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
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
}
