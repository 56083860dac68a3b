internal import CLinux
public import NetworkTypes
internal import SocketIO

/// The settings of resolv.conf(5) that the resolver uses.
///
/// Unknown lines are ignored, as in the C library.
struct ResolverSettings: Hashable, Sendable {
    /// The name servers in order; never empty.
    var servers: [IPAddress] = [.v4(IPv4Address(bits: 0x7F00_0001))]
    /// Search domains, without leading and trailing dots.
    var search: [String] = []
    /// `ndots`, 0 … 15: a name with at least as many dots is first looked up as it is.
    var ndots = 1
    /// The timeout for the answer of one server, 1 … 5 s. The next server is queried long before.
    var answerSeconds = 5
    /// The number of tries per server, 1 … 5. The default is high enough for a burst of lookups with heavy packet loss
    /// to succeed within a few seconds.
    var rounds = 5
    /// `use-vc`: TCP only.
    var usesTCP = false

    private static let largestServerCount = 8
    private static let largestSearchCount = 32

    init() {}

    init(parsing file: [UInt8]) {
        var named: [IPAddress] = []
        for line in file.split(whereSeparator: { $0 == UInt8(ascii: "\n") }) {
            let words = FieldSplitter.fields(of: line, comments: [UInt8(ascii: "#"), UInt8(ascii: ";")])
            guard let keyword = words.first else { continue }
            let values = words.dropFirst()
            switch keyword {
            case "nameserver":
                guard named.count < Self.largestServerCount else { break }
                if let address = values.first.flatMap({ IPAddress(parsing: $0) }) { named.append(address) }
            case "domain": search = Self.domains(values.prefix(1))
            case "search": search = Self.domains(values)
            case "options": values.forEach { apply(option: $0) }
            default: break
            }
        }
        if !named.isEmpty { servers = named }
    }

    private static func domains(_ words: ArraySlice<String>) -> [String] {
        words.prefix(largestSearchCount).map(DomainName.normalized).filter { !$0.isEmpty }
    }

    private mutating func apply(option: String) {
        let parts = option.split(separator: ":", maxSplits: 1)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        switch (parts.first, number) {
        case ("ndots", let number?): ndots = min(max(number, 0), 15)
        case ("timeout", let number?): answerSeconds = min(max(number, 1), 5)
        case ("attempts", let number?): rounds = min(max(number, 1), 5)
        case ("use-vc", nil): usesTCP = true
        default: break
        }
    }

    /// The names to query, in order: resolv.conf(5), `search` and `ndots`.
    func candidates(for name: String) -> [String] {
        let bare = DomainName.normalized(name)
        if name.utf8.last == UInt8(ascii: ".") { return [bare] }
        let expanded = search.map { "\(bare).\($0)" }.filter { $0.utf8.count <= DomainName.largestLength }
        let dots = bare.utf8.count { $0 == UInt8(ascii: ".") }
        return dots >= ndots ? [bare] + expanded : expanded + [bare]
    }
}

/// The name servers of resolv.conf(5), for messages.
public enum SystemNameServers {
    /// The name servers in order; 127.0.0.1 if the file names none or cannot be read.
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

/// The zone of an IPv6 address, RFC 4007 section 11.
enum Zone {
    /// Returns the name of the interface, also if the zone is its number: if_indextoname(3). nil if there is no such
    /// interface.
    static func interfaceName(of zone: String) -> String? {
        guard let number = UInt32(zone) else { return zone }
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard if_indextoname(number, &name) != nil else { return nil }
        return name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }
}
