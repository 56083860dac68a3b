internal import CLinux
internal import CMicrohttpd

/// Applies the rules of RFC 9112 where the library is lenient. A head that two parsers may read differently is refused,
/// because a proxy in front of connectd may read it differently.
struct HeadJudge {
    enum Verdict {
        case accepted(RequestHead, BodyFraming)
        case refused(HeadFault)
    }

    /// The parts that the library passes to its first callback. They are in one block of memory.
    let connection: OpaquePointer
    let method: UnsafePointer<UInt8>
    let url: UnsafePointer<UInt8>
    let version: UnsafePointer<UInt8>
    /// The target as it was sent, before the library decoded it in place.
    let target: [UInt8]
    let source: ConnectionSource

    func verdict() -> Verdict {
        let methodBytes = UnsafeBufferPointer(start: method, count: url - method - 1)
        guard url > method, methodBytes.allSatisfy(ASCII.isToken) else { return .refused(.method) }
        // Exactly one space before the target, one after it, and none inside. A NUL would shorten the target.
        guard version == url + target.count + 1 else { return .refused(.target) }
        guard let isOld = isOldVersion() else { return .refused(.version) }

        let start = version + Self.versionLength + 2
        var walk = HeaderWalk(from: start)
        walk.run(over: connection)
        if let fault = walk.fault { return .refused(fault) }
        let end = method + connectd_mhd_head_length(connection)
        // A strict library may have removed blanks after the last value, and may already have moved the body there.
        guard walk.position + 2 == end || Self.libraryIsStrict && walk.position + 2 < end else {
            return .refused(.lineEnding)
        }

        let verb = HTTPMethod(methodBytes)
        let (framing, framingFault) = framing(walk, isOld: isOld)
        if let framingFault { return .refused(framingFault) }
        guard walk.host != nil || isOld else { return .refused(.hostMissing) }
        guard walk.host.map(HostSyntax.accepts) ?? true else { return .refused(.hostMalformed) }
        guard let path = path(for: verb) else { return .refused(.target) }
        guard hasExpectedAuthority(before: path, host: walk.host) else { return .refused(.authority) }
        let headers = UnsafeBufferPointer(start: start, count: walk.position - start)
        return .accepted(
            RequestHead(
                method: verb, target: path, headers: headers, names: walk.names, framing: framing, source: source),
            framing)
    }

    private static let versionLength = 8
    private static let libraryIsStrict = connectd_mhd_can_be_strict() != 0

    /// Whether the version is HTTP/1.0; nil unless it is 1.0 or 1.1. The library has checked the form `HTTP/d.d`.
    private func isOldVersion() -> Bool? {
        guard strlen(UnsafeRawPointer(version).assumingMemoryBound(to: CChar.self)) == Self.versionLength,
            version[5] == UInt8(ascii: "1")
        else { return nil }
        return switch version[7] {
        case UInt8(ascii: "0"): true
        case UInt8(ascii: "1"): false
        default: nil
        }
    }

    private func framing(_ walk: HeaderWalk, isOld: Bool) -> (BodyFraming, HeadFault?) {
        guard walk.isChunked else { return (walk.contentLength.map(BodyFraming.length) ?? .none, nil) }
        if walk.contentLength != nil { return (.none, .codingAndLength) }
        return isOld ? (.none, .codingInOldVersion) : (.chunked, nil)
    }

    /// The target from its path on: of an origin form, an absolute form, or the `*` of OPTIONS (RFC 9112, section 3.2).
    private func path(for method: HTTPMethod) -> ArraySlice<UInt8>? {
        // Only visible ASCII without a fragment, which is never sent.
        guard target.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else { return nil }
        if target.first == UInt8(ascii: "/") { return target[...] }
        if target == [UInt8(ascii: "*")] { return method == .options ? target[...] : nil }
        guard let start = authorityStart else { return nil }
        let end = target[start...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        guard let end else { return target.count > start ? [UInt8(ascii: "/")] : nil }
        return target[end] == UInt8(ascii: "/") && end > start ? target[end...] : nil
    }

    /// The offset of the authority in an absolute target. Its scheme must be the connection's: a request for another one is
    /// misdirected (RFC 9110, section 7.4).
    private var authorityStart: Int? {
        let scheme = Array((source.isHTTPS ? "https://" : "http://").utf8)
        let isAbsolute = target.count > scheme.count && target.prefix(scheme.count).map(ASCII.lowercased) == scheme
        return isAbsolute ? scheme.count : nil
    }

    /// The authority of an absolute target takes precedence over the Host header (RFC 9112, section 3.2.2). Handlers
    /// see only the Host header, so the two must be equal.
    private func hasExpectedAuthority(before path: ArraySlice<UInt8>, host: UnsafeBufferPointer<UInt8>?) -> Bool {
        guard target.first != UInt8(ascii: "/"), let start = authorityStart else { return true }
        guard let host else { return false }
        let end = path.startIndex > 0 ? path.startIndex : target.count
        return target[start..<end].map(ASCII.lowercased) == host.map(ASCII.lowercased)
    }

    // MARK: Heads that the library refuses

    /// Why the library refuses a complete head; nil if the head is incomplete, or the reason is not one of these.
    static func faultOfCompleteHead(of connection: OpaquePointer) -> HeadFault? {
        guard connectd_mhd_head_length(connection) > 0 else { return nil }
        let length = value(of: "Content-Length", in: connection)
        if let length, HeaderWalk.number(length) == nil { return .lengthMalformed }
        if let coding = value(of: "Transfer-Encoding", in: connection) {
            guard HeaderWalk.equal(coding, "chunked") else { return .codingUnknown }
            if length != nil { return .codingAndLength }
        }
        return value(of: "Host", in: connection) == nil ? .hostMissing : nil
    }

    private static func value(of name: String, in connection: OpaquePointer) -> UnsafeBufferPointer<UInt8>? {
        guard let text = MHD_lookup_connection_value(connection, .HEADER_KIND, name) else { return nil }
        return UnsafeRawBufferPointer(start: text, count: strlen(text)).assumingMemoryBound(to: UInt8.self)
    }
}

/// Why a request head is malformed. Each fault is a 400 that closes the connection.
enum HeadFault: String {
    case version = "The HTTP version is neither 1.0 nor 1.1."
    case method = "The method is not a token."
    case target = "The request target is malformed."
    case authority = "The authority of the request target differs from the Host header."
    case lineEnding = "A header line does not end in CR LF, is folded, or contains a NUL."
    case headerName = "A header name is not a token."
    case headerValue = "A header value contains a control character."
    case hostMissing = "The Host header is missing."
    case hostRepeated = "There is more than one Host header."
    case hostMalformed = "The Host header is not a host with an optional port."
    case lengthRepeated = "There is more than one Content-Length header."
    case lengthMalformed = "The Content-Length is not a number."
    case fieldRepeated = "There is more than one Content-Type, Origin or Sec-Fetch-Site header."
    case codingUnknown = "The only supported Transfer-Encoding is a single \"chunked\"."
    case codingAndLength = "The request has both Transfer-Encoding and Content-Length."
    case codingInOldVersion = "HTTP/1.0 does not support Transfer-Encoding."
}

/// The syntax of a Host header: `uri-host [ ":" port ]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2).
///
/// It rejects what another parser could take for a path, userinfo or a second host, and an empty host, which no http URL
/// may have (RFC 9110, section 4.2.1).
enum HostSyntax {
    static func accepts(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = value.first else { return false }
        return first == UInt8(ascii: "[") ? acceptsLiteral(value) : acceptsName(value)
    }

    /// An address in brackets. The comparison of hosts checks whether it is valid.
    private static func acceptsLiteral(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let end = value.firstIndex(of: UInt8(ascii: "]")), end > 1 else { return false }
        let isAddress = value[1..<end].allSatisfy { isNameByte($0) || $0 == UInt8(ascii: ":") || $0 == percent }
        return isAddress && acceptsPort(value[(end + 1)...])
    }

    /// A registered name or a dotted quad.
    private static func acceptsName(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let end = value.firstIndex(of: UInt8(ascii: ":")) ?? value.endIndex
        return end > 0 && acceptsNameBytes(value[..<end]) && acceptsPort(value[end...])
    }

    private static func acceptsNameBytes(_ name: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var rest = name
        while let byte = rest.popFirst() {
            if byte == percent {
                guard let high = rest.popFirst(), let low = rest.popFirst(), ASCII.hexValue(high) != nil,
                    ASCII.hexValue(low) != nil
                else { return false }
            } else if !isNameByte(byte) {
                return false
            }
        }
        return true
    }

    /// The port after the colon may be empty.
    private static func acceptsPort(_ rest: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        rest.isEmpty || (rest.first == UInt8(ascii: ":") && rest.dropFirst().allSatisfy(ASCII.isDigit))
    }

    private static let percent = UInt8(ascii: "%")

    /// unreserved and sub-delims, except the comma: it would separate several hosts.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ";"),
            UInt8(ascii: "="):
            true
        default:
            false
        }
    }
}
