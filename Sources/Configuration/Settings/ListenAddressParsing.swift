package import NetworkTypes

extension ListenAddress {
    /// Reads `127.0.0.1:8080`, `[::1]:8080`, `unix:/path` or `unix:/path?mode=0600`.
    /// - Throws: The reason, with a suggestion if there is one.
    init(parsing text: String) throws(ValueRefusal) {
        do throws(ValueRefusal) {
            try self.init(exactly: text)
        } catch {
            // An address with a control character would be shown as another one.
            guard let meant = Self.suggestion(for: text), Quote.plain(meant) == meant else { throw error }
            throw ValueRefusal("\(error.reason); did you mean \"\(meant)\"?")
        }
    }

    private init(exactly text: String) throws(ValueRefusal) {
        if text.hasPrefix("unix:") {
            let parts = text.dropFirst(5).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            let mode = parts.count > 1 ? try Self.mode(parts[1]) : Self.defaultMode
            self = .unix(path: try Self.path(parts[0]), mode: mode)
            return
        }
        let (host, port) = try Self.split(text)
        guard let address = Self.address(host) else { throw Self.refusal(ofHost: host) }
        self = .ip(IPEndpoint(address: address, port: try Self.port(port)))
    }

    /// sun_path of unix(7) holds 108 bytes with the NUL at its end.
    static let maximumPathBytes = 107

    private static func path(_ text: Substring) throws(ValueRefusal) -> [UInt8] {
        guard !text.hasPrefix("@") else {
            throw ValueRefusal("is an abstract name, which file permissions cannot protect: use a path")
        }
        guard text.hasPrefix("/") else { throw ValueRefusal("has no absolute path after \"unix:\"") }
        let path = Array((text.hasPrefix("///") ? text.dropFirst(2) : text).utf8)
        guard path.count <= maximumPathBytes, path.count > 1, !path.contains(0) else {
            throw ValueRefusal("needs a path of 2 to \(maximumPathBytes) bytes without NUL after \"unix:\"")
        }
        return path
    }

    /// The permissions of chmod(2), in octal digits.
    private static func mode(_ text: Substring) throws(ValueRefusal) -> UInt16 {
        let digits = text.hasPrefix("mode=") ? text.dropFirst(5) : ""
        guard (3...4).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x37).contains($0) }),
            let mode = UInt16(digits, radix: 8), mode <= 0o777
        else {
            throw ValueRefusal("must have only a mode in octal digits after the \"?\", as in unix:/path?mode=0600")
        }
        return mode
    }

    private static func split(_ text: String) throws(ValueRefusal) -> (host: Substring, port: Substring) {
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else {
            throw ValueRefusal("has no port: write it as 127.0.0.1:8080, [::1]:8080 or unix:/path")
        }
        return (text[..<colon], text[text.index(after: colon)...])
    }

    private static func address(_ host: Substring) -> IPAddress? {
        guard host.hasPrefix("["), host.hasSuffix("]") else { return IPv4Address(parsing: host).map(IPAddress.v4) }
        return IPv6Address(parsing: host.dropFirst().dropLast()).map(IPAddress.v6)
    }

    private static func refusal(ofHost host: Substring) -> ValueRefusal {
        if host.isEmpty || host == "*" {
            return ValueRefusal(
                "has no address: write 127.0.0.1, or 0.0.0.0 and [::] for every address of this machine")
        }
        if host.hasSuffix(":/") || host.contains("://") {
            return ValueRefusal("is a URL: write only the address and the port")
        }
        if host.contains(":"), !host.hasPrefix("[") {
            return ValueRefusal("needs brackets around an IPv6 address, as in [::1]:8080")
        }
        return ValueRefusal("does not begin with an address (names are not resolved here)")
    }

    /// The valid address that `text` probably means.
    private static func suggestion(for text: String) -> String? {
        if text.hasPrefix("/") { return valid("unix:\(text)") }
        if text.hasPrefix("unix:"), !text.hasPrefix("unix:@"), !text.hasPrefix("unix:/") {
            return valid("unix:/\(text.dropFirst(5))")
        }
        var rest = text[...]
        for scheme in ["http://", "https://", "tcp://", "tcp:"] where rest.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.count).prefix { $0 != "/" }
        }
        if PlainDecimal.read(rest) != nil { return valid("127.0.0.1:\(rest)") }
        guard let parts = try? split(String(rest)) else { return valid(host: rest, port: "8080") }
        if IPv6Address(parsing: rest) != nil, (UInt16(parts.port) ?? 0) < 80 { return valid("[\(rest)]:8080") }
        return valid(host: parts.host, port: parts.port == "http" ? "80" : String(parts.port))
    }

    private static func valid(host: Substring, port: String) -> String? {
        switch host {
        case "localhost", "": return valid("127.0.0.1:\(port)")
        case "*": return valid("0.0.0.0:\(port)")
        case _ where host.contains(":") && !host.hasPrefix("["): return valid("[\(host)]:\(port)")
        default: return valid("\(host):\(port)")
        }
    }

    private static func valid(_ text: String) -> String? {
        (try? ListenAddress(exactly: text)).map { _ in text }
    }

    private static func port(_ text: Substring) throws(ValueRefusal) -> UInt16 {
        guard let number = PlainDecimal.read(text), let port = UInt16(exactly: number) else {
            throw ValueRefusal("does not end in a port from 0 to 65535")
        }
        return port
    }
}

/// The addresses of sockets that the process inherited at its start.
package struct InheritedAddresses: Sendable {
    package var listen: [ListenAddress] = []
    package var healthListen: [ListenAddress] = []

    package init() {}
}

/// A listen address with its source; the default has none.
struct StatedAddress {
    let address: ListenAddress
    let text: LocatedText?

    init(_ address: ListenAddress, _ text: LocatedText? = nil) {
        self.address = address
        self.text = text
    }
}

extension StatedAddress {
    /// The conflicts between addresses that would be bound together: duplicates, and sockets in both lists.
    static func problems(listen: [StatedAddress], health: [StatedAddress]) -> [ConfigurationProblem] {
        var earlier: [(key: String, stated: StatedAddress)] = []
        var problems: [ConfigurationProblem] = []
        for (key, stated) in listen.map({ ("listen", $0) }) + health.map({ ("health_listen", $0) }) {
            let rival = earlier.first { $0.stated.address.excludes(stated.address) }
            if let rival, let text = stated.text {
                problems.append(
                    text.problem(refusal(of: stated, key, with: rival.stated, rival.key).about(text.text)))
            }
            earlier.append((key, stated))
        }
        return problems
    }

    private static func refusal(
        of stated: StatedAddress, _ key: String, with rival: StatedAddress, _ rivalKey: String
    ) -> ValueRefusal {
        guard rival.address.isSameSocket(as: stated.address) else {
            return ValueRefusal(
                "conflicts with \(rival.address.text) of \(rivalKey): one of them is the wildcard address")
        }
        let place = rival.text == nil ? "\(rivalKey) (its default)" : rivalKey
        return key == rivalKey
            ? ValueRefusal("is a duplicate") : ValueRefusal("is already in \(place): a socket cannot serve both")
    }
}

extension ListenAddress {
    /// Whether bind(2) of one fails with EADDRINUSE because of the other. Port 0 never conflicts, because each use gets its
    /// own port. `[::]` and IPv4 are not compared: a kernel setting decides whether they conflict.
    fileprivate func excludes(_ other: ListenAddress) -> Bool {
        guard case .ip(let endpoint) = self, case .ip(let another) = other else { return isSameSocket(as: other) }
        guard endpoint.port == another.port, endpoint.port != 0 else { return false }
        if endpoint == another { return true }
        return endpoint.address.family == another.address.family
            && (endpoint.address.isWildcard || another.address.isWildcard)
    }
}

extension IPAddress {
    fileprivate var isWildcard: Bool {
        switch self {
        case .v4(let address): address.bits == 0
        case .v6(let address): address.bits == 0
        }
    }
}
