internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// The mounts of this process, from /proc/self/mountinfo. Reading that file never waits for a file server.
enum MountTable {
    /// File systems that look up paths on this machine alone. Others may have to ask a server or a process.
    private static let localTypes: Set<String> = [
        "bcachefs", "btrfs", "devtmpfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "rootfs",
        "squashfs", "tmpfs", "vfat", "xfs", "zfs",
    ]

    /// Whether the file system mounted at the path is one of `localTypes`. The path must not contain symbolic links.
    static func isLocal(at path: [UInt8]) -> Bool {
        guard let file = try? Descriptor.openForReading(Array("/proc/self/mountinfo".utf8)),
            let contents = try? FileContents.read(file.rawValue)
        else { return false }
        return isLocal(at: path, in: contents)
    }

    /// The same for the contents of the file, proc_pid_mountinfo(5). If several file systems are mounted at a path, the
    /// last one counts.
    static func isLocal(at path: [UInt8], in contents: [UInt8]) -> Bool {
        let wanted = escaped(path)
        var isLocal = false
        for line in contents.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 5, fields[4].elementsEqual(wanted),
                let separator = fields.firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }),
                separator + 1 < fields.count
            else { continue }
            isLocal = localTypes.contains(String(decoding: fields[separator + 1], as: UTF8.self))
        }
        return isLocal
    }

    /// The mount points of file systems that may have to ask a server, without the root.
    static func remoteMountPoints() -> [[UInt8]] {
        guard let file = try? Descriptor.openForReading(Array("/proc/self/mountinfo".utf8)),
            let contents = try? FileContents.read(file.rawValue)
        else { return [] }
        return remoteMountPoints(in: contents)
    }

    /// The same for the contents of the file.
    static func remoteMountPoints(in contents: [UInt8]) -> [[UInt8]] {
        contents.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 5, !fields[4].elementsEqual([.slash]),
                let separator = fields.firstIndex(where: { $0.elementsEqual([UInt8(ascii: "-")]) }),
                separator + 1 < fields.count,
                !localTypes.contains(String(decoding: fields[separator + 1], as: UTF8.self))
            else { return nil }
            return unescaped(Array(fields[4]))
        }
    }

    private static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var path: [UInt8] = []
        var index = 0
        while index < text.count {
            let digits = String(decoding: text[index...].dropFirst().prefix(3), as: UTF8.self)
            if text[index] == UInt8(ascii: "\\"), digits.utf8.count == 3, let byte = UInt8(digits, radix: 8) {
                path.append(byte)
                index += 4
            } else {
                path.append(text[index])
                index += 1
            }
        }
        return path
    }

    /// Encodes a path as the kernel does in that file: blanks, newlines and backslashes as octal digits.
    private static func escaped(_ path: [UInt8]) -> [UInt8] {
        path.reduce(into: []) { text, byte in
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\\"):
                let digits = String(byte, radix: 8)
                text += Array(("\\" + String(repeating: "0", count: 3 - digits.count) + digits).utf8)
            default: text.append(byte)
            }
        }
    }
}

extension Errno {
    /// Whether the lookup would have left its file system (RESOLVE_NO_XDEV).
    var isMountPoint: Bool { rawValue == EXDEV }
}

/// The mounts of this process whose file systems may have to ask a server. The list is read at most once a second.
final class RemoteMounts: Sendable {
    private struct State {
        var nextRead: MonotonicTime?
        var mountPoints: [[UInt8]] = []
    }

    private static let readInterval: Int64 = 1_000_000_000
    private let state = Mutex(State())

    /// One instance for the process, because mounts belong to the process.
    static let ofProcess = RemoteMounts()

    /// The mount point that the path is under; nil if its file system is local. Symbolic links are not followed.
    func mountPoint(of path: [UInt8]) -> [UInt8]? {
        let now = Clock.now()
        return state.withLock { state in
            if state.nextRead.map({ now >= $0 }) ?? true {
                state.nextRead = now.advanced(byNanoseconds: Self.readInterval)
                state.mountPoints = MountTable.remoteMountPoints()
            }
            return Self.innermost(of: state.mountPoints, above: path)
        }
    }

    /// The longest mount point that is the path itself or one of its parent directories.
    static func innermost(of mountPoints: [[UInt8]], above path: [UInt8]) -> [UInt8]? {
        mountPoints.filter { mountPoint in
            path.starts(with: mountPoint) && (path.count == mountPoint.count || path[mountPoint.count] == .slash)
        }.max { $0.count < $1.count }
    }
}
