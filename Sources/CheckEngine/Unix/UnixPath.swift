internal import AccessPolicy
internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// The file that a UNIX-domain path leads to. It is opened once, so the policy judges the file that is connected to.
struct UnixPath: ~Copyable {
    /// The path without symbolic links and relative segments. Segments that could not be opened are appended as
    /// written.
    let judged: [UInt8]
    /// The opened socket; nil if the path could not be opened.
    let opened: Descriptor?
    /// Why the path could not be opened.
    let failure: Errno?

    /// Opens the path with O_PATH (open(2)), which follows it in the same way as connect(2).
    /// - Parameter followsMagicLinks: whether to follow links of procfs. They lead to files without a lookup by name.
    init(_ path: [UInt8], followsMagicLinks: Bool) {
        do throws(Errno) {
            let descriptor = try Self.open(path, followsMagicLinks)
            // The policy cannot judge a file without a name, so it is not connected to.
            judged = try descriptor.linkTarget()
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

    /// Opens shorter and shorter prefixes until one opens, and appends the remaining segments as they were written.
    private static func longestOpenable(_ path: [UInt8], _ followsMagicLinks: Bool) -> [UInt8] {
        var rest: ArraySlice<UInt8> = []
        var prefix = path[...]
        while let slash = prefix.lastIndex(of: UInt8(ascii: "/")) {
            rest = path[slash...]
            prefix = path[..<slash]
            let parent = prefix.isEmpty ? [UInt8(ascii: "/")] : Array(prefix)
            if let descriptor = try? open(parent, followsMagicLinks), let name = try? descriptor.linkTarget() {
                return (name == [UInt8(ascii: "/")] ? [] : name) + rest
            }
        }
        return path
    }
}

/// Determines whether symbolic links lead from a path that no rule allows as written to one that a rule allows.
///
/// It follows one segment at a time, and never enters a remote file system. Otherwise a client could make a file server
/// that hangs look up paths that no rule allows. Links of procfs are not followed, because their text is not the path
/// of their target.
struct LinkSearch {
    let policy: Policy

    /// The kernel's limit, path_resolution(7).
    private static let mostLinks = 40
    /// Links can be long and lead to further links. This limit ends the search early.
    private static let mostSegments = 512

    /// The path after following links, if a rule allows it; otherwise nil.
    func allowedPath(following path: [UInt8]) -> [UInt8]? {
        do throws(Errno) {
            return try search(path)
        } catch {
            return nil
        }
    }

    private func search(_ path: [UInt8]) throws(Errno) -> [UInt8]? {
        var directory = try Self.root()
        /// The segments followed so far, without links.
        var passed: [[UInt8]] = []
        /// The segments to follow, in reverse order.
        var rest = Self.segments(of: path)
        var links = 0
        for _ in 0..<Self.mostSegments {
            guard let segment = rest.popLast() else { return nil }
            if segment == [.dot] { continue }
            if segment == [.dot, .dot] {
                directory = try directory.openPathWithin(segment, [])
                _ = passed.popLast()
            } else {
                let next = try open(segment, in: directory, after: passed)
                guard let target = next.symbolicLinkTarget() else {
                    passed.append(segment)
                    directory = next
                    continue
                }
                links += 1
                guard links <= Self.mostLinks, !directory.isOnProcfs() else { return nil }
                if target.first == .slash {
                    directory = try Self.root()
                    passed = []
                }
                rest += Self.segments(of: target)
            }
            let whole = Self.joined(passed + rest.reversed())
            if policy.ruleAllowing(path: .path(whole)) != nil { return whole }
        }
        return nil
    }

    /// Enters another file system only if it is a local one.
    private func open(
        _ segment: [UInt8], in directory: borrowing Descriptor, after passed: [[UInt8]]
    ) throws(Errno) -> Descriptor {
        do throws(Errno) {
            return try directory.openPathWithin(segment, [.noFollow, .noCrossing])
        } catch {
            guard error.isMountPoint, MountTable.isLocal(at: Self.joined(passed + [segment])) else { throw error }
            return try directory.openPathWithin(segment, .noFollow)
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
