internal import CheckModel
internal import CLinux
internal import SocketIO

/// A file of the system's configuration that is read anew when it has changed: stat(2), at most once a second.
///
/// Both calls are on the worker's thread: files of a few lines on a local file system, not read again unless they change.
struct WatchedFile {
    /// What tells two states of a file apart.
    private struct Signature: Equatable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    private static let checkInterval: Int64 = 1_000_000_000
    private static let largestSize = 16 << 20

    private let path: String
    private var signature: Signature?
    private var nextCheck: MonotonicTime?

    init(path: String) {
        self.path = path
    }

    /// The file's bytes where they may have changed since the last call, empty where there is no file; nil otherwise.
    mutating func changedContents(at now: MonotonicTime) -> [UInt8]? {
        if let nextCheck, now < nextCheck { return nil }
        let isFirst = nextCheck == nil
        nextCheck = now.advanced(byNanoseconds: Self.checkInterval)
        let current = Self.look(at: path)
        guard isFirst || current != signature else { return nil }
        signature = current
        return current == nil ? [] : Self.read(path)
    }

    private static func look(at path: String) -> Signature? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Signature(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }

    private static func read(_ path: String) -> [UInt8] {
        guard let file = try? Descriptor.openForReading(Array(path.utf8)) else { return [] }
        var contents: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while contents.count < largestSize {
            let count = CLinux.read(file.rawValue, &block, block.count)
            guard count > 0 else { break }
            contents += block[0..<count]
        }
        return contents
    }
}
