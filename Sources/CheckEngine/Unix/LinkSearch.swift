internal import CheckModel
internal import SocketIO

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
