internal import AccessPolicy
internal import CLinux
internal import NetworkTypes
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

/// Finds out whether links lead from a path that no rule allows as it is written to one that a rule allows.
///
/// It looks at one segment after another, and never beyond a file system of this machine: a server of files that does not
/// answer would have to be asked about paths that no rule allows. Links of procfs are not followed: their text does
/// not say where they lead.
struct LinkSearch {
    let policy: Policy

    /// As many as the kernel follows, path_resolution(7).
    private static let mostLinks = 40
    /// Links can be long and lead to links: an end is found soon.
    private static let mostSegments = 512

    /// The path behind the links that a rule allows; nil where there is none.
    func allowedPath(behind path: [UInt8]) -> [UInt8]? {
        do throws(Errno) {
            return try search(path)
        } catch {
            return nil
        }
    }

    private func search(_ path: [UInt8]) throws(Errno) -> [UInt8]? {
        var folder = try Self.root()
        /// Without links.
        var passed: [[UInt8]] = []
        /// The last one comes next.
        var rest = Self.segments(of: path)
        var links = 0
        for _ in 0..<Self.mostSegments {
            guard let segment = rest.popLast() else { return nil }
            if segment == [.dot] { continue }
            if segment == [.dot, .dot] {
                folder = try folder.openPathWithin(segment, [])
                _ = passed.popLast()
            } else {
                let next = try open(segment, in: folder, behind: passed)
                guard let target = next.symbolicLinkTarget() else {
                    passed.append(segment)
                    folder = next
                    continue
                }
                links += 1
                guard links <= Self.mostLinks, !folder.isOnProcfs() else { return nil }
                if target.first == .slash {
                    folder = try Self.root()
                    passed = []
                }
                rest += Self.segments(of: target)
            }
            let whole = Self.joined(passed + rest.reversed())
            if policy.ruleAllowing(path: .path(whole)) != nil { return whole }
        }
        return nil
    }

    /// Crosses into another file system only where that is one of this machine.
    private func open(
        _ segment: [UInt8], in folder: borrowing Descriptor, behind passed: [[UInt8]]
    ) throws(Errno) -> Descriptor {
        do throws(Errno) {
            return try folder.openPathWithin(segment, [.noFollow, .noCrossing])
        } catch {
            guard error.isMountPoint, MountTable.isLocal(at: Self.joined(passed + [segment])) else { throw error }
            return try folder.openPathWithin(segment, .noFollow)
        }
    }

    private static func root() throws(Errno) -> Descriptor { try .openPathWithoutMagicLinks([.slash]) }

    private static func segments(of path: [UInt8]) -> [[UInt8]] {
        path.split(separator: .slash).reversed().map(Array.init)
    }

    private static func joined(_ segments: [[UInt8]]) -> [UInt8] {
        segments.reduce(into: []) { path, segment in
            path.append(.slash)
            path += segment
        }
    }
}

extension UInt8 {
    static let slash = UInt8(ascii: "/")
    static let dot = UInt8(ascii: ".")
}
