internal import CLinux
internal import Diagnosis
internal import Glibc
internal import NetworkTypes
internal import SocketIO

/// Reads what the kernel tells an unprivileged process about this machine. The files block only for microseconds, but
/// some are long.
enum ProberReader {
    static func state() -> ProberState {
        var state = ProberState()
        let range = numbers(in: "/proc/sys/net/ipv4/ip_local_port_range")
        if range.count == 2 { state.ephemeralPortCount = range[1] - range[0] + 1 }
        state.tcpSocketCount = socketCount()
        state.descriptorLimit = descriptorLimit()
        state.descriptorCount = descriptorCount()
        state.conntrackCount = numbers(in: "/proc/sys/net/netfilter/nf_conntrack_count").first
        state.conntrackLimit = numbers(in: "/proc/sys/net/netfilter/nf_conntrack_max").first
        state.counters = counters()
        return state
    }

    static func route(to address: IPAddress) -> RouteState {
        let isOnLink = LocalAddresses.networks().contains { $0.contains(address) }
        let isLocal = LocalAddresses.contains(address)
        return RouteState(
            address: address, source: LocalAddresses.source(toward: address), isOnLink: isOnLink, isLocal: isLocal,
            hasFamily: LocalAddresses.hasUsable(of: address.family),
            neighbor: answersARP(address) ? .answered : .unknown)
    }

    // MARK: Files

    private static func contents(of path: String) -> String? {
        guard let descriptor = try? Descriptor.openForReading(Array(path.utf8)),
            let bytes = try? FileContents.read(descriptor.rawValue, limit: 1 << 20)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func lines(of path: String) -> [Substring] {
        contents(of: path)?.split(separator: "\n") ?? []
    }

    private static func numbers(in path: String) -> [Int] {
        contents(of: path)?.split(whereSeparator: \.isWhitespace).compactMap { Int($0) } ?? []
    }

    /// `TCP: inuse 5 orphan 0 tw 3 alloc 8 mem 1` of /proc/net/sockstat.
    private static func socketCount() -> Int? {
        guard let line = lines(of: "/proc/thread-self/net/sockstat").first(where: { $0.hasPrefix("TCP:") }) else {
            return nil
        }
        let words = line.split(separator: " ")
        let values = ["inuse", "tw"].compactMap { name in
            words.firstIndex { $0 == name }.flatMap { words.indices.contains($0 + 1) ? Int(words[$0 + 1]) : nil }
        }
        return values.isEmpty ? nil : values.reduce(0, +)
    }

    /// /proc/net/netstat has pairs of lines: the names of counters, and their values.
    private static func counters() -> [String: Int] {
        let wanted = Set(ProberState.Counter.allCases.map(\.rawValue))
        let rows = lines(of: "/proc/thread-self/net/netstat").map { $0.split(separator: " ") }
        var counters: [String: Int] = [:]
        for (names, values) in zip(rows, rows.dropFirst()) where names.first == values.first {
            for (name, value) in zip(names.dropFirst(), values.dropFirst()) where wanted.contains(String(name)) {
                counters[String(name)] = Int(value)
            }
        }
        return counters
    }

    /// The flag 2 of /proc/net/arp: ATF_COM, the entry is complete.
    private static func answersARP(_ address: IPAddress) -> Bool {
        let text = address.text
        return lines(of: "/proc/thread-self/net/arp").contains { line in
            let words = line.split(separator: " ")
            guard words.count > 2, words[0] == text, let flags = Int(words[2].dropFirst(2), radix: 16) else {
                return false
            }
            return flags & 2 != 0
        }
    }

    private static func descriptorLimit() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(min(limit.rlim_cur, rlim_t(Int.max)))
    }

    private static func descriptorCount() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
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
