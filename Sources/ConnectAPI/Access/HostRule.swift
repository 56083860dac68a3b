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
        if host.hasPrefix("["), host.hasSuffix("]") { return IPAddress(parsing: host.dropFirst().dropLast()) != nil }
        if case .v4 = IPAddress(parsing: host) { return true }
        let name = Self.normalized(host)
        return name == "localhost" || names.contains(name)
    }

    /// The host without its port; nil if the port is none.
    static func host(of value: String) -> Substring? {
        let hostEnd =
            value.hasPrefix("[")
            ? value.firstIndex(of: "]").map(value.index(after:)) ?? value.endIndex
            : value.firstIndex(of: ":") ?? value.endIndex
        let port = value[hostEnd...]
        let isPort =
            port.isEmpty || (port.first == ":" && port.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) })
        return isPort && hostEnd != value.startIndex ? value[..<hostEnd] : nil
    }

    private static func normalized(_ name: some StringProtocol) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}
