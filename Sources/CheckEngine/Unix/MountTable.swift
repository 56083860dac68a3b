internal import CLinux
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// The mounts of this process, /proc/self/mountinfo: it is read without a word to any file system's server.
enum MountTable {
    /// File systems whose paths are looked up on this machine alone. Others may have to ask a server or a process.
    private static let localTypes: Set<String> = [
        "bcachefs", "btrfs", "devtmpfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs", "rootfs",
        "squashfs", "tmpfs", "vfat", "xfs", "zfs",
    ]

    /// Whether what is mounted at that path, which has no links, is one of them.
    static func isLocal(at path: [UInt8]) -> Bool {
        guard let file = try? Descriptor.openForReading(Array("/proc/self/mountinfo".utf8)),
            let contents = try? FileContents.read(file.rawValue)
        else { return false }
        return isLocal(at: path, in: contents)
    }

    /// The same by the text of the file, proc_pid_mountinfo(5). Of mounts over each other the last one counts.
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

    /// Where file systems of other kinds are mounted. The root is none of them: everything lies below it.
    static func remotePlaces() -> [[UInt8]] {
        guard let file = try? Descriptor.openForReading(Array("/proc/self/mountinfo".utf8)),
            let contents = try? FileContents.read(file.rawValue)
        else { return [] }
        return remotePlaces(in: contents)
    }

    /// The same by the text of the file.
    static func remotePlaces(in contents: [UInt8]) -> [[UInt8]] {
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

    /// As the kernel writes names there: blanks, newlines and backslashes in octal digits.
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
    /// Whether a walk that must not leave its file system has come to its end.
    var isMountPoint: Bool { rawValue == EXDEV }
}

/// The mounts of this process whose file systems may have to ask a server, looked at once a second at most.
final class RemoteMounts: Sendable {
    private struct State {
        var nextLook: MonotonicTime?
        var places: [[UInt8]] = []
    }

    private static let lookInterval: Int64 = 1_000_000_000
    private let state = Mutex(State())

    /// Mounts are the process's.
    static let ofProcess = RemoteMounts()

    /// The mount that the path lies on as it is written; nil for a file system of this machine.
    func place(of path: [UInt8]) -> [UInt8]? {
        let now = Clock.now()
        return state.withLock { state in
            if state.nextLook.map({ now >= $0 }) ?? true {
                state.nextLook = now.advanced(byNanoseconds: Self.lookInterval)
                state.places = MountTable.remotePlaces()
            }
            return Self.innermost(of: state.places, above: path)
        }
    }

    /// The longest of the places that is a folder of the path, or the path itself.
    static func innermost(of places: [[UInt8]], above path: [UInt8]) -> [UInt8]? {
        places.filter { place in
            path.starts(with: place) && (path.count == place.count || path[place.count] == .slash)
        }.max { $0.count < $1.count }
    }
}
