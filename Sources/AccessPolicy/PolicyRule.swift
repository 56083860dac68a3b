public import NetworkTypes

/// One rule of a policy.
public struct PolicyRule: Hashable, Sendable {
    public enum Action: String, CaseIterable, Sendable {
        case allow, deny
    }

    /// What a rule matches.
    public enum Matcher: Hashable, Sendable {
        case addresses(AddressRange)
        case path(PathPattern)
        /// In `deny` rules only.
        case host(HostPattern)
    }

    public let action: Action
    public let matcher: Matcher
    /// Nil for every port.
    public let ports: [PortRange]?
    /// Nil for every transport.
    public let transports: Set<Transport>?

    /// Makes a rule from its members in the configuration: exactly one of `cidr`, `path` and `host`.
    ///
    /// - Parameters:
    ///   - cidr: A block of addresses, or one address.
    ///   - path: A pattern of UNIX-domain sockets, see `PathPattern`.
    ///   - host: A pattern of host names, see `HostPattern`; only with `deny`, because allowing a name says nothing
    ///     about its addresses.
    ///   - ports: Not with `path`; nil for every port.
    ///   - transports: Nil for every transport.
    /// - Throws: The invalid member, and why.
    public init(
        action: Action, cidr: String? = nil, path: String? = nil, host: String? = nil, ports: [PortRange]? = nil,
        transports: Set<Transport>? = nil
    ) throws(PolicyRuleError) {
        self.action = action
        self.matcher = try Self.matcher(cidr: cidr, path: path, host: host)
        self.ports = ports
        self.transports = transports
        try refuseContradictions()
    }

    private static func matcher(cidr: String?, path: String?, host: String?) throws(PolicyRuleError) -> Matcher {
        switch (cidr, path, host) {
        case (let cidr?, nil, nil):
            do throws(AddressRangeError) {
                return .addresses(try AddressRange(parsing: cidr))
            } catch {
                throw PolicyRuleError(error.detail, member: .cidr)
            }
        case (nil, let path?, nil): return .path(try PathPattern(path))
        case (nil, nil, let host?): return .host(try HostPattern(host))
        case (nil, nil, nil): throw PolicyRuleError("a rule must have one of cidr, path and host")
        case (_, _, _): throw PolicyRuleError("a rule must have only one of cidr, path and host")
        }
    }

    private func refuseContradictions() throws(PolicyRuleError) {
        if let ports, ports.isEmpty {
            throw PolicyRuleError("the list of ports is empty: leave it out for every port", member: .ports)
        }
        if let transports, transports.isEmpty {
            throw PolicyRuleError(
                "the list of transports is empty: leave it out for every transport", member: .transports)
        }
        switch matcher {
        case .addresses:
            if transports == [.unix] {
                throw PolicyRuleError("a rule with cidr must cover tcp or udp", member: .transports)
            }
        case .path:
            if ports != nil {
                throw PolicyRuleError("a UNIX-domain socket has no port: leave ports out", member: .ports)
            }
            if let transports, !transports.contains(.unix) {
                throw PolicyRuleError("a rule with path must cover unix", member: .transports)
            }
        case .host:
            if transports == [.unix] {
                throw PolicyRuleError("a rule with host must cover tcp or udp", member: .transports)
            }
            guard action == .deny else {
                throw PolicyRuleError("a rule with host must deny: allow the addresses with cidr", member: .host)
            }
        }
    }
}

/// Why a policy rule is invalid: a lowercase phrase without a period.
public struct PolicyRuleError: Error, Hashable, Sendable {
    /// The members of a rule in the configuration.
    public enum Member: String, CaseIterable, Sendable {
        case cidr, path, host, ports, transports
    }

    public let detail: String
    /// The invalid member; nil if the whole rule is invalid.
    public let member: Member?

    init(_ detail: String, member: Member? = nil) {
        self.detail = detail
        self.member = member
    }
}

extension PolicyRule {
    /// Whether the rule matches this address, port and transport.
    func matches(_ endpoint: IPEndpoint, _ transport: Transport) -> Bool {
        guard case .addresses(let range) = matcher else { return false }
        return range.contains(endpoint.address) && covers(endpoint.port, transport)
    }

    /// Whether the rule covers the port and the transport; nil counts as covered.
    func covers(_ port: UInt16?, _ transport: Transport?) -> Bool {
        if let transport, let transports, !transports.contains(transport) { return false }
        guard let port, let ports else { return true }
        return ports.contains { $0.contains(port) }
    }

    /// Whether the rule matches a single address, and so can override a hard denial.
    var namesOneAddress: Bool {
        guard case .addresses(let range) = matcher else { return false }
        return range.isSingleAddress
    }
}

/// A range of ports in a policy rule, including first and last.
public struct PortRange: Hashable, Sendable {
    /// 1 … 65535.
    public let first: UInt16
    /// At least `first`.
    public let last: UInt16

    /// - Throws: An error if a port is not within 1 … 65535, or `last` is less than `first`.
    public init(first: Int, last: Int) throws(PolicyRuleError) {
        guard let lower = UInt16(exactly: first), let upper = UInt16(exactly: last), lower > 0, upper > 0 else {
            throw PolicyRuleError("a port must be within 1…65535", member: .ports)
        }
        guard lower <= upper else {
            throw PolicyRuleError("the range \(first)-\(last) ends before it begins", member: .ports)
        }
        self.first = lower
        self.last = upper
    }

    /// - Throws: An error if the port is not within 1 … 65535.
    public init(_ port: Int) throws(PolicyRuleError) {
        try self.init(first: port, last: port)
    }

    /// Reads `8000-8999` or `5432`.
    ///
    /// - Throws: An error if it is neither, or out of range.
    public init(parsing text: some StringProtocol) throws(PolicyRuleError) {
        let numbers = text.split(separator: "-", omittingEmptySubsequences: false).map { part -> Int? in
            part.utf8.count <= 5 && part.utf8.allSatisfy { $0.decimalDigit != nil } ? Int(part) : nil
        }
        switch (numbers.count, numbers.first ?? nil, numbers.last ?? nil) {
        case (1, let port?, _): try self.init(port)
        case (2, let first?, let last?): try self.init(first: first, last: last)
        case (_, _, _):
            let shown = VisibleText.excerpt(of: String(text))
            throw PolicyRuleError("\"\(shown)\" is neither a port nor a range like 8000-8999", member: .ports)
        }
    }

    public func contains(_ port: UInt16) -> Bool {
        first <= port && port <= last
    }
}
