import CheckModel
import SocketIO

/// The name of a socket file as the kernel has it, without links.
enum UnixPathName {
    /// The resolved name, or the path as it is where nothing is there yet.
    static func resolved(_ path: [UInt8]) -> [UInt8] {
        guard let descriptor = try? Descriptor.openPath(path), let name = descriptor.linkTarget() else { return path }
        return name
    }

    /// The file that the path leads to; nil where nothing is there.
    static func identity(_ path: [UInt8]) -> FileIdentity? {
        (try? Descriptor.openPath(path))?.fileIdentity()
    }
}
