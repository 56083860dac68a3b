// What a peer may have said in plain text in front of TLS.
extension Inbox {
    /// The peer's go-ahead for TLS, as far as it has come: the line in which the last match ended, which may have more in it,
    /// and the further lines of a reply of many: `220-…` up to `220 …`.
    struct GoAhead {
        /// Behind it stands what others would take for a part of the secured conversation (CVE-2011-0411).
        let end: Int
        /// Its last line has its end; else all that came belongs to it.
        let isWhole: Bool
        /// It begins with the three digits of a reply, which has an end in every protocol that has such replies.
        let isReply: Bool
    }

    /// - Parameter hasMatched: a step has matched something; else there is no go-ahead, and everything is behind it.
    func goAhead(hasMatched: Bool) -> GoAhead {
        guard hasMatched else { return GoAhead(end: start, isWhole: true, isReply: false) }
        let lineStart = start > 0 ? bytes[..<(start - 1)].lastIndex(of: Self.lineEnd).map { $0 + 1 } ?? 0 : 0
        var end = start
        if start == 0 || bytes[start - 1] != Self.lineEnd { end = Self.end(ofLineIn: bytes[start...]) }
        let line = bytes[lineStart..<end]
        let code = line.prefix(3)
        let isReply = code.count == 3 && code.allSatisfy { (0x30...0x39).contains($0) }
        guard isReply, Self.goesOn(line) else {
            return GoAhead(end: end, isWhole: line.last == Self.lineEnd, isReply: isReply)
        }
        return reply(code, behind: end)
    }

    /// A reply of many lines, of which those before `end` go on.
    private func reply(_ code: ArraySlice<UInt8>, behind end: Int) -> GoAhead {
        var end = end
        var mayGoOn = true
        while mayGoOn, end < bytes.endIndex, bytes[end...].prefix(3).elementsEqual(code.prefix(bytes.endIndex - end)) {
            let lineStart = end
            end = Self.end(ofLineIn: bytes[lineStart...])
            mayGoOn = Self.goesOn(bytes[lineStart..<end])
        }
        // What stands behind it now is another's.
        let isCut = end == bytes.endIndex && (mayGoOn || bytes.last != Self.lineEnd)
        return GoAhead(end: end, isWhole: !isCut, isReply: true)
    }

    private static let lineEnd = UInt8(ascii: "\n")

    /// Whether a further line follows: `220-`.
    private static func goesOn(_ line: ArraySlice<UInt8>) -> Bool {
        line.dropFirst(3).first == UInt8(ascii: "-")
    }

    private static func end(ofLineIn bytes: ArraySlice<UInt8>) -> Int {
        bytes.firstIndex(of: lineEnd).map { $0 + 1 } ?? bytes.endIndex
    }
}
