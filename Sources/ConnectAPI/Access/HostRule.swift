internal import CheckModel

/// Which Host header fields the service answers to: a web page that has had its own name pointed to this machine (DNS
/// rebinding) comes with that name.
package struct HostRule: Sendable {
    /// Lower case, without trailing dots.
    private let names: Set<String>

    /// - Parameter names: those of the configuration, beside addresses and `localhost`.
    package init(names: [String]) {
        self.names = Set(names.map(Self.normalized))
    }

    /// Whether a Host header field's value, which may carry a port, is one of ours.
    package func accepts(_ value: String) -> Bool {
        guard let host = Self.host(of: value) else { return false }
        let bytes = host.utf8
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            return IPAddress(parsing: host.dropFirst().dropLast()) != nil
        }
        if let last = bytes.last, (0x30...0x39).contains(last), IPv4Address(parsing: host) != nil { return true }
        let name = Self.normalized(host)
        return name == "localhost" || names.contains(name)
    }

    /// The host without its port; nil if the port is none.
    static func host(of value: String) -> Substring? {
        let bytes = value.utf8
        let hostEnd =
            bytes.first == UInt8(ascii: "[")
            ? bytes.firstIndex(of: UInt8(ascii: "]")).map(bytes.index(after:)) ?? bytes.endIndex
            : bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
        let port = bytes[hostEnd...]
        let isPort =
            port.isEmpty
            || (port.first == UInt8(ascii: ":") && port.dropFirst().allSatisfy { (0x30...0x39).contains($0) })
        return isPort && hostEnd != bytes.startIndex ? value[..<hostEnd] : nil
    }

    private static func normalized(_ name: some StringProtocol) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}
