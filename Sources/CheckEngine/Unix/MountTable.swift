internal import CLinux
internal import CheckModel
internal import SocketIO

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
