public import CheckModel
internal import SocketIO

/// The name servers of resolv.conf(5), for messages about them.
public enum SystemNameServers {
    /// In the order in which they are asked; 127.0.0.1 where the file names none or cannot be read.
    public static func addresses(path: String = "/etc/resolv.conf") -> [IPAddress] {
        ResolverSettings(parsing: contents(of: path)).servers
    }

    private static func contents(of path: String) -> [UInt8] {
        do throws(Errno) {
            let descriptor = try Descriptor.openForReading(Array(path.utf8))
            return try FileContents.read(descriptor.rawValue, limit: 1 << 20)
        } catch {
            return []
        }
    }
}
