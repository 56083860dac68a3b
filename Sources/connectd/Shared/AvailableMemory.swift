import CLinux
import NetworkTypes
import SocketIO

/// The memory that this process may use: the smallest of the machine's memory and its cgroup limits.
struct AvailableMemory {
    /// What limits the memory.
    enum Source: String {
        case machine = "the machine"
        case controlGroup = "the control group"
    }

    let bytes: Int
    let source: Source

    /// Reads the limits from the kernel.
    /// - Parameter root: The directory of `/proc` and `/sys`; tests use their own.
    init(root: String = "", physicalBytes: Int = Self.physicalBytes) {
        let groups = Self.lines(of: root + "/proc/self/cgroup")
        let mounts = Self.lines(of: root + "/proc/self/mountinfo").compactMap(Mount.init)
        var smallest = physicalBytes
        for line in groups {
            for limit in Self.limits(of: line, mounts, root) { smallest = min(smallest, limit) }
        }
        bytes = smallest
        source = smallest < physicalBytes ? .controlGroup : .machine
    }

    static var physicalBytes: Int {
        let (pages, size) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && size > 0 ? pages * size : 1 << 30
    }

    /// A cgroup file system, from a line of mountinfo (proc(5)).
    private struct Mount {
        /// The group that is mounted.
        let group: String
        let path: String
        let isUnified: Bool

        init?(_ line: Substring) {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else { return nil }
            let type = fields[dash + 1]
            isUnified = type == "cgroup2"
            let hasMemory = fields[dash + 3].split(separator: ",").contains("memory")
            guard isUnified || type == "cgroup" && hasMemory else { return nil }
            group = String(fields[3])
            path = String(fields[4])
        }
    }

    /// The limits of a group of `/proc/self/cgroup` and of its ancestors.
    private static func limits(of line: Substring, _ mounts: [Mount], _ root: String) -> [Int] {
        let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return [] }
        let isUnified = parts[1].isEmpty
        guard isUnified || parts[1].split(separator: ",").contains("memory"),
            let mount = mounts.first(where: { $0.isUnified == isUnified })
        else { return [] }
        let files = isUnified ? ["memory.max", "memory.high"] : ["memory.limit_in_bytes"]
        var group = path(of: String(parts[2]), below: mount.group)
        var limits: [Int] = []
        while true {
            for file in files { limits += number(in: root + mount.path + group + "/" + file) }
            guard let slash = group.lastIndex(of: "/") else { return limits }
            group = String(group[..<slash])
        }
    }

    /// The group's path below the mounted group. If a container sees an unrelated path, it is the mounted group itself.
    private static func path(of group: String, below mounted: String) -> String {
        let base = mounted == "/" ? "" : mounted
        guard group.hasPrefix(base), group.count == base.count || group.dropFirst(base.count).first == "/",
            !group.hasPrefix("/..")
        else { return "" }
        let rest = group.dropFirst(base.count)
        return rest == "/" ? "" : String(rest)
    }

    /// Empty for `max`, or if the file does not exist.
    private static func number(in path: String) -> [Int] {
        lines(of: path).first.flatMap { Int($0) }.map { [$0] } ?? []
    }

    private static func lines(of path: String) -> [Substring] {
        do throws(Errno) {
            let file = try Descriptor.openForReading(Array(path.utf8))
            let text = String(decoding: try FileContents.read(file.rawValue, limit: 1 << 20), as: UTF8.self)
            return text.split(separator: "\n")
        } catch {
            return []
        }
    }
}
