internal import Glibc
internal import SocketIO

/// The resources of the process, as Prometheus client libraries show them: proc(5).
///
/// A member is nil if /proc does not have it.
public struct ProcessUsage: Sendable {
    public let cpuSeconds: Double?
    public let residentBytes: UInt64?
    public let virtualBytes: UInt64?
    public let openDescriptors: UInt64?
    /// RLIMIT_NOFILE; nil without a limit.
    public let maximumDescriptors: UInt64?
    /// Seconds since 1970.
    public let startTimeSeconds: Double?
    public let threads: UInt64?

    /// Reads /proc/self, in some tens of microseconds.
    public init() {
        let fields = Self.statFields()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        // Fields 14, 15, 20, 22, 23 and 24 of proc(5). The first element is the state, field 3.
        if let user = Self.number(11, fields), let system = Self.number(12, fields) {
            cpuSeconds = (Double(user) + Double(system)) / ticks
        } else {
            cpuSeconds = nil
        }
        threads = Self.number(17, fields)
        virtualBytes = Self.number(20, fields)
        residentBytes = Self.number(21, fields).map { $0 * UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 0)) }
        if let start = Self.number(19, fields), let boot = Self.bootTimeSeconds {
            startTimeSeconds = boot + Double(start) / ticks
        } else {
            startTimeSeconds = nil
        }
        openDescriptors = Self.countDescriptors()
        var limit = rlimit()
        let isLimited =
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 && limit.rlim_cur != rlim_t.max
        maximumDescriptors = isLimited ? UInt64(limit.rlim_cur) : nil
    }

    private static func number(_ index: Int, _ fields: [Substring]) -> UInt64? {
        fields.indices.contains(index) ? UInt64(fields[index]) : nil
    }

    /// The fields after the name, which is in parentheses and can contain any character.
    private static func statFields() -> [Substring] {
        guard let text = contents(of: "/proc/self/stat"), let end = text.lastIndex(of: ")") else { return [] }
        return text[text.index(after: end)...].split(whereSeparator: { $0 == " " || $0 == "\n" })
    }

    /// By the clocks: a sandbox with ProcSubset=pid has no /proc/stat with `btime`.
    private static let bootTimeSeconds: Double? = {
        guard let wall = seconds(CLOCK_REALTIME), let sinceBoot = seconds(CLOCK_BOOTTIME) else { return nil }
        return wall - sinceBoot
    }()

    private static func seconds(_ clock: clockid_t) -> Double? {
        var time = timespec()
        return clock_gettime(clock, &time) == 0 ? Double(time.tv_sec) + Double(time.tv_nsec) / 1e9 : nil
    }

    private static func contents(of path: String) -> String? {
        guard let descriptor = try? Descriptor.openForReading(Array(path.utf8)),
            let bytes = try? FileContents.read(descriptor.rawValue, limit: 1 << 20)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func countDescriptors() -> UInt64? {
        var status = stat()
        // Since Linux 6.2, the size is the count. To list thousands of descriptors takes a millisecond.
        if stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return UInt64(status.st_size) }
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count: UInt64 = 0
        // readdir(3) returns nil at the end and after an error.
        errno = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != 0x2E { count += 1 }
        }
        guard errno == 0, count > 0 else { return nil }
        // Without the descriptor of the directory itself.
        return count - 1
    }
}
