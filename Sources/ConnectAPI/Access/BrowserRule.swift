package import CheckModel
internal import Configuration
package import HTTPServer
internal import NetworkTypes

/// Refuses requests from web pages of other sites. Loopback does not identify a client, because browsers reach it too.
///
/// A page cannot set Fetch Metadata (W3C) or Origin (RFC 6454) itself, and programs do not send them.
package enum BrowserRule {
    /// Whether the request is accepted.
    /// - Parameters:
    ///   - site: the value of Sec-Fetch-Site.
    ///   - origin: the value of Origin.
    ///   - host: the value of Host; an origin of our own pages matches it.
    ///   - isHTTPS: whether the request came over TLS. Without TLS, a proxy may have terminated it.
    package static func accepts(site: String?, origin: String?, host: String?, isHTTPS: Bool) -> Bool {
        if let site, site != "same-origin", site != "none" { return false }
        guard let origin else { return true }
        guard let host else { return false }
        return origin.lowercased() == "https://" + host.lowercased()
            || !isHTTPS && origin.lowercased() == "http://" + host.lowercased()
    }
}

/// Reads where a request comes from. Malformed values are ignored: a check does not fail because of a log field.
package enum OriginReader {
    /// - Returns: nil if the request does not say.
    package static func origin(of head: RequestHead, tokens: TokenRule) -> RequestOrigin? {
        let token = tokens.isOpen ? nil : tokens.token(authorization: head.header("authorization"))?.name
        let client = token ?? head.certificateName.map { RequestOrigin.certificatePrefix + $0 }
        let requestID = head.header("x-request-id").flatMap { isRequestID($0) ? $0 : nil }
        let traceparent = head.header("traceparent").flatMap { isTraceparent($0) ? $0 : nil }
        guard client != nil || requestID != nil || traceparent != nil else { return nil }
        return RequestOrigin(requestID: requestID, traceparent: traceparent, client: client)
    }

    /// 1 to 128 visible ASCII characters: what proxies create, and safe in a log.
    package static func isRequestID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// Version, trace, parent and flags in lowercase hexadecimal (W3C Trace Context, 3.2). A later version may append
    /// fields.
    package static func isTraceparent(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, text.utf8.count <= 128, parts.prefix(4).map(\.count) == [2, 32, 16, 2],
            parts.prefix(4).allSatisfy({ $0.allSatisfy(isLowercaseHex) })
        else { return false }
        let version = String(Substring(parts[0]))
        guard version != "ff", version != "00" || parts.count == 4 else { return false }
        // An ID of only zeros is invalid.
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

/// The Host values that the service accepts. A page that uses DNS rebinding sends its own name.
package struct HostRule: Sendable {
    /// Lower case, without trailing dots; an IDN in its ASCII form.
    private let names: Set<String>

    /// - Parameter names: the configured names; addresses and `localhost` are always accepted.
    package init(names: [String]) {
        self.names = Set(names.map(Self.normalized))
    }

    /// Whether the service accepts a Host value, which may include a port.
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

    /// Why a Host value is refused, and what to write instead.
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

    /// Whether the value is an IPv4 address with or without a port: what most clients send, and cheap to check.
    private static func isQuad(_ value: Span<UInt8>) -> Bool {
        var end = 0
        while end < value.count, value[end] != UInt8(ascii: ":") { end += 1 }
        guard IPv4Address(parsing: value.extracting(..<end)) != nil else { return false }
        for index in value.indices.dropFirst(end + 1) where !(0x30...0x39).contains(value[index]) { return false }
        return true
    }

    /// The host without its port; nil if the port is malformed.
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
        let isASCII = name.utf8.allSatisfy { $0 < 0x80 }
        let lower = isASCII ? name.lowercased() : (try? InternationalName.ascii(String(name))) ?? name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}
