import CLinux
import Testing

/// The descriptor limit of the whole process. Shells set a soft limit of 1024, below the hard limit.
enum DescriptorLimit {
    static func raise(toAtLeast count: UInt) throws {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        try #require(getrlimit(resource, &limit) == 0)
        guard limit.rlim_cur < count else { return }
        limit.rlim_cur = min(count, limit.rlim_max)
        try #require(setrlimit(resource, &limit) == 0)
    }
}
