internal import CheckModel
internal import HTTPServer

/// Reads where a request comes from. What is malformed is passed over: a check does not fail for the sake of a log line.
package enum OriginReader {
    /// - Returns: nil where the request says nothing of it.
    static func origin(of head: RequestHead, tokens: TokenRule) -> RequestOrigin? {
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
