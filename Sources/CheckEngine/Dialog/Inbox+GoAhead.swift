// What a peer may have said in plain text in front of TLS.
extension Inbox {
    /// What stands behind the peer's go-ahead for TLS, and would be taken for a part of the secured conversation by others
    /// (CVE-2011-0411); empty where all is in order.
    ///
    /// The go-ahead is the line in which the last match ended, which may have more in it, and the further lines of a reply
    /// of many: `220-…` up to `220 …`. All that came belongs to it while it has no end.
    /// - Parameter hasMatched: a step has matched something; else everything is behind nothing.
    func behindGoAhead(hasMatched: Bool) -> ArraySlice<UInt8> {
        guard hasMatched else { return bytes[start...] }
        var lineStart = 0
        if start > 0 { lineStart = bytes[..<(start - 1)].lastIndex(of: Self.lineEnd).map { $0 + 1 } ?? 0 }
        var end = start
        if start == 0 || bytes[start - 1] != Self.lineEnd { end = Self.end(ofLineIn: bytes[start...]) }
        let code = bytes[lineStart..<end].prefix(4)
        guard code.last == UInt8(ascii: "-"), Self.isReply(code) else { return bytes[end...] }
        while end < bytes.endIndex, bytes[end...].starts(with: code.dropLast()) {
            let isLast = bytes[end...].dropFirst(3).first != UInt8(ascii: "-")
            end = Self.end(ofLineIn: bytes[end...])
            if isLast { break }
        }
        return bytes[end...]
    }

    private static let lineEnd = UInt8(ascii: "\n")

    private static func isReply(_ code: ArraySlice<UInt8>) -> Bool {
        code.count == 4 && code.dropLast().allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func end(ofLineIn bytes: ArraySlice<UInt8>) -> Int {
        bytes.firstIndex(of: lineEnd).map { $0 + 1 } ?? bytes.endIndex
    }
}
