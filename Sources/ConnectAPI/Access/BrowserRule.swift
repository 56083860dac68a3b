package import CheckModel
package import HTTPServer
import NetworkTypes

/// Keeps web pages of other sites out: loopback is no proof of identity, a browser reaches it too.
///
/// Fetch Metadata (W3C) and Origin (RFC 6454) are headers that a page cannot set by itself, and that programs do not send.
package enum BrowserRule {
    /// Whether the request may go on.
    /// - Parameters:
    ///   - site: the value of Sec-Fetch-Site.
    ///   - origin: the value of Origin.
    ///   - host: the value of Host, with which an origin of our own pages agrees.
    ///   - isHTTPS: whether it came over TLS: our own pages did, too. Without it a proxy may have spoken TLS for us.
    package static func accepts(site: String?, origin: String?, host: String?, isHTTPS: Bool) -> Bool {
        if let site, site != "same-origin", site != "none" { return false }
        guard let origin else { return true }
        guard let host else { return false }
        return origin.lowercased() == "https://" + host.lowercased()
            || !isHTTPS && origin.lowercased() == "http://" + host.lowercased()
    }
}

/// Reads where a request comes from. What is malformed is passed over: a check does not fail for the sake of a log line.
package enum OriginReader {
    /// - Returns: nil where the request says nothing of it.
    package static func origin(of head: RequestHead, tokens: TokenRule) -> RequestOrigin? {
        let token = tokens.isOpen ? nil : tokens.name(authorization: head.header("authorization"))
        let client = token ?? head.certificateName.map { RequestOrigin.certificatePrefix + $0 }
        let requestID = head.header("x-request-id").flatMap { isRequestID($0) ? $0 : nil }
        let traceparent = head.header("traceparent").flatMap { isTraceparent($0) ? $0 : nil }
        guard client != nil || requestID != nil || traceparent != nil else { return nil }
        return RequestOrigin(requestID: requestID, traceparent: traceparent, client: client)
    }

    /// 1 to 128 visible characters of ASCII: what proxies make, and nothing that could disturb a log.
    package static func isRequestID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// Version, trace, parent and flags in lowercase hexadecimal (W3C Trace Context, 3.2); a later version may say more
    /// behind them.
    package static func isTraceparent(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, text.utf8.count <= 128, parts.prefix(4).map(\.count) == [2, 32, 16, 2],
            parts.prefix(4).allSatisfy({ $0.allSatisfy(isLowercaseHex) })
        else { return false }
        let version = String(Substring(parts[0]))
        guard version != "ff", version != "00" || parts.count == 4 else { return false }
        // All zeros is no trace, and no parent.
        return parts[1...2].allSatisfy { $0.contains { $0 != UInt8(ascii: "0") } }
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func isLowercaseHex(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        case _: false
        }
    }
}

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
        return "this service does not serve the host \"\(name)\"; to allow this name, set"
            + " hosts: [\"\(name)\"] in the configuration (or CONNECTD_HOSTS) and reload, or use an IP address"
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
