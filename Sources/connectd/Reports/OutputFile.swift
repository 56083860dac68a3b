import CLinux
import Glibc
import NetworkTypes
import SocketIO

/// The file of `--output`.
///
/// A streamed file is truncated at the start and grows with the results. Any other one is written under a temporary name in
/// the same folder and then renamed, so that a reader never sees half a document and an error keeps the old file. Devices,
/// pipes, symbolic links, and files in a folder without write access are written in place.
final class OutputFile {
    private let path: String
    private let descriptor: Descriptor
    /// nil if the file is written in place.
    private let temporaryPath: String?

    /// Opens the file, or ends the process with an error message.
    init(_ path: String, isReplacedWhole: Bool) {
        self.path = path
        if isReplacedWhole, Self.isReplaceable(path), let (number, name) = Self.temporaryFile(for: path) {
            descriptor = Descriptor(adopting: number)
            temporaryPath = name
        } else {
            let number = connectd_open_write(path)
            guard number >= 0 else { Output.end(.current, writing: path) }
            descriptor = Descriptor(adopting: number)
            temporaryPath = nil
        }
    }

    func write(_ bytes: [UInt8]) {
        if let error = Output.write(bytes, to: descriptor.rawValue) { fail(error) }
    }

    /// Puts the file under its own name.
    func commit() {
        guard let temporaryPath else { return }
        // Some file systems report a full disk only here.
        guard fsync(descriptor.rawValue) == 0 else { fail(.current) }
        guard rename(temporaryPath, path) == 0 else { fail(.current) }
    }

    private func fail(_ error: Errno) -> Never {
        if let temporaryPath { unlink(temporaryPath) }
        Output.end(error, writing: path)
    }

    /// Whether the path is a regular file or does not exist: lstat(2).
    private static func isReplaceable(_ path: String) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return Errno.current.rawValue == ENOENT }
        // A file that may not be written must not be replaced either.
        let isWritable = status.st_mode & S_IFMT == S_IFREG && access(path, W_OK) == 0
        // rename(2) cannot replace a file that is mounted into a container.
        return isWritable && connectd_is_mount_point(path) == 0
    }

    /// A new file next to the path, with the permissions that the path has or would get. nil if it cannot be created.
    private static func temporaryFile(for path: String) -> (number: Int32, name: String)? {
        let slash = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
        // NAME_MAX is 255 bytes.
        let name = "\(path[..<slash]).\(String(decoding: path[slash...].utf8.prefix(200), as: UTF8.self)).XXXXXX"
        var template = Array(name.utf8CString)
        let number = mkstemp(&template)
        guard number >= 0 else { return nil }
        var status = stat()
        let mode = stat(path, &status) == 0 ? status.st_mode & 0o777 : 0o666 & ~currentMask
        fchmod(number, mode)
        let created = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        return (number, created)
    }

    private static var currentMask: mode_t {
        let mask = umask(0o077)
        umask(mask)
        return mask
    }
}
