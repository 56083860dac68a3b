public import NetworkTypes

/// A pattern of targets with host and port: `*.internal:443`, `10.0.0.7:*`, `[2001:db8::7]:8000-8999`.
///
/// The host is an address, or a `HostPattern`; `*` alone is every host, addresses included. The port is a number, a range,
/// or `*`.
public struct TargetPattern: Hashable, Sendable {
    private enum Subject: Hashable, Sendable {
        case any
        case address(IPAddress)
        case name(HostPattern)
    }

    public let text: String
    private let subject: Subject
    /// nil for every port.
    private let ports: PortRange?

    /// - Throws: What is wrong, in one sentence.
    public init(parsing text: String) throws(PolicyRuleError) {
        guard let colon = text.lastIndex(of: ":") else {
            throw PolicyRuleError("a target pattern must be host:port, with * for every port")
        }
        let port = text[text.index(after: colon)...]
        self.text = text
        subject = try Self.subject(text[..<colon])
        ports = port == "*" ? nil : try PortRange(parsing: port)
    }

    private static func subject(_ host: Substring) throws(PolicyRuleError) -> Subject {
        if host == "*" { return .any }
        if host.hasPrefix("["), host.hasSuffix("]"), let address = IPAddress(parsing: host.dropFirst().dropLast()) {
            return .address(address)
        }
        if let address = IPv4Address(parsing: host.utf8.span) { return .address(.v4(address)) }
        return .name(try HostPattern(String(host)))
    }

    /// Whether a target is one of them; a UNIX-domain socket never is.
    public func matches(_ target: Target) -> Bool {
        switch target.peer {
        case .tcp(let host, let port), .udp(let host, let port): (ports?.contains(port) ?? true) && matches(host)
        case .unix: false
        }
    }

    private func matches(_ host: Host) -> Bool {
        switch (subject, host) {
        case (.any, _): true
        case (.address(let wanted), .address(let address)): wanted == address
        case (.name(let pattern), .name(let name)): pattern.matches(name)
        case (.address, .name), (.name, .address): false
        }
    }
}
