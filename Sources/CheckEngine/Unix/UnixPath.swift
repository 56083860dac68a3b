internal import CLinux
internal import CheckModel
internal import SocketIO

/// What a UNIX-domain path leads to, found out once: what is judged is what is connected to.
struct UnixPath: ~Copyable {
    /// The path without links and relative parts, as far as it could be opened; the rest stands as written.
    let judged: [UInt8]
    /// The opened socket; nil where the path could not be opened.
    let opened: Descriptor?
    /// Why it could not.
    let failure: Errno?

    /// Follows the path by O_PATH, open(2), which takes the same way through the file system as connect(2) does.
    /// - Parameter followsMagicLinks: whether links of procfs may be on the way, which lead past every name.
    init(_ path: [UInt8], followsMagicLinks: Bool) {
        do throws(Errno) {
            let descriptor = try Self.open(path, followsMagicLinks)
            guard let name = descriptor.linkTarget() else {
                // A name that cannot be told cannot be judged: what was opened is not connected to.
                throw Errno(ENAMETOOLONG)
            }
            judged = name
            opened = consume descriptor
            failure = nil
        } catch {
            judged = Self.longestOpenable(path, followsMagicLinks)
            opened = nil
            failure = error
        }
    }

    private static func open(_ path: [UInt8], _ followsMagicLinks: Bool) throws(Errno) -> Descriptor {
        followsMagicLinks ? try .openPath(path) : try .openPathWithoutMagicLinks(path)
    }

    /// Opens ever shorter prefixes until one opens; the remaining segments are appended as they were written.
    private static func longestOpenable(_ path: [UInt8], _ followsMagicLinks: Bool) -> [UInt8] {
        var rest: ArraySlice<UInt8> = []
        var prefix = path[...]
        while let slash = prefix.lastIndex(of: UInt8(ascii: "/")) {
            rest = path[slash...]
            prefix = path[..<slash]
            let parent = prefix.isEmpty ? [UInt8(ascii: "/")] : Array(prefix)
            if let descriptor = try? open(parent, followsMagicLinks), let name = descriptor.linkTarget() {
                return (name == [UInt8(ascii: "/")] ? [] : name) + rest
            }
        }
        return path
    }
}
