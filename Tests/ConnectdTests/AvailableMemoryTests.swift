import Foundation
import Testing
@testable import connectd

/// The memory limits of control groups, of both versions.
@Suite struct AvailableMemoryTests {
    /// A directory used instead of `/`.
    private func root(_ files: [String: String]) throws -> String {
        let root = NSTemporaryDirectory() + "connectd-" + UUID().uuidString
        for (path, text) in files {
            let file = URL(fileURLWithPath: root + path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return root
    }

    private static let unified = "30 1 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
    private static let separate = "33 2 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"

    private func bytes(_ files: [String: String]) throws -> Int {
        let root = try root(files)
        defer { try? FileManager.default.removeItem(atPath: root) }
        return AvailableMemory(root: root, physicalBytes: 8 << 30).bytes
    }

    @Test func withoutGroupsTheMachinesMemoryApplies() throws {
        #expect(try bytes([:]) == 8 << 30)
    }

    @Test func theSmallestLimitOfAllAncestorsApplies() throws {
        let files = [
            "/proc/self/cgroup": "0::/a.slice/b.service\n", "/proc/self/mountinfo": Self.unified,
            "/sys/fs/cgroup/a.slice/b.service/memory.max": "max\n",
            "/sys/fs/cgroup/a.slice/memory.max": "67108864\n",
        ]
        #expect(try bytes(files) == 64 << 20)
    }

    @Test func aLimitAboveTheMachinesMemoryIsIgnored() throws {
        let files = [
            "/proc/self/cgroup": "4:memory:/x\n", "/proc/self/mountinfo": Self.separate,
            "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(try bytes(files) == 8 << 30)
    }

    @Test func limitsOfVersion1Apply() throws {
        let files = [
            "/proc/self/cgroup": "5:cpu,cpuacct:/y\n4:memory:/docker/x\n0::/\n",
            "/proc/self/mountinfo": Self.unified + Self.separate,
            "/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "134217728\n",
        ]
        #expect(try bytes(files) == 128 << 20)
    }

    @Test func aContainersOwnGroupCanBeTheRoot() throws {
        let mount = "33 2 0:30 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        let files = [
            "/proc/self/cgroup": "4:memory:/docker/x\n", "/proc/self/mountinfo": mount,
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "33554432\n",
        ]
        #expect(try bytes(files) == 32 << 20)
    }

    @Test func memoryHighAppliesToo() throws {
        let files = [
            "/proc/self/cgroup": "0::/a\n", "/proc/self/mountinfo": Self.unified,
            "/sys/fs/cgroup/a/memory.max": "134217728\n", "/sys/fs/cgroup/a/memory.high": "67108864\n",
        ]
        #expect(try bytes(files) == 64 << 20)
    }
}
