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
        if Self.isQuad(value.utf8.span) { return true }
        guard let host = Self.host(of: value) else { return false }
        let bytes = host.utf8
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            return IPAddress(parsing: host.dropFirst().dropLast()) != nil
        }
        let name = Self.normalized(host)
        return name == "localhost" || names.contains(name)
    }

    /// What is wrong with a Host header field that is not accepted, and what to write instead.
    package func refusal(of value: String) -> String {
        guard let host = Self.host(of: value) else {
            return "the Host header field is not a host with an optional port"
        }
        let name = Self.normalized(host)
        guard let target = try? Target(transport: "tcp", host: name, port: .number(1)),
            case .tcp(.name, _) = target.peer
        else { return "the Host header field is neither a host name nor an address" }
        return "this service does not answer for the host \"\(name)\"; if clients reach it by that name, write"
            + " hosts: [\"\(name)\"] in the configuration (or CONNECTD_HOSTS) and reload, or ask by address"
    }

    /// An IPv4 address, with or without a port: what most clients send, and cheap to know.
    private static func isQuad(_ value: Span<UInt8>) -> Bool {
        var end = 0
        while end < value.count, value[end] != UInt8(ascii: ":") { end += 1 }
        guard IPv4Address(parsing: value.extracting(..<end)) != nil else { return false }
        for index in value.indices.dropFirst(end + 1) where !(0x30...0x39).contains(value[index]) { return false }
        return true
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
