internal import CLinux
internal import NetworkTypes

/// The state of a file for detecting changes: stat(2).
public struct FileSignature: Equatable, Sendable {
    /// When its content last changed, in nanoseconds since 1970.
    public let modifiedNanoseconds: Int64
    /// Whether it is a regular file, not a directory, a pipe or a device.
    public let isRegular: Bool
    private let identity: FileIdentity
    private let size: Int64

    /// - Returns: nil if there is no file.
    public init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        modifiedNanoseconds = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        isRegular = status.st_mode & UInt32(S_IFMT) == UInt32(S_IFREG)
        identity = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        size = Int64(status.st_size)
    }
}
