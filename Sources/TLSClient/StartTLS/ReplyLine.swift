/// A line of a reply with a three-digit code, RFC 5321, 4.2 and RFC 959, 4.2.
struct ReplyLine {
    let code: Int
    /// No further line of this reply follows.
    let isLast: Bool
    let text: ArraySlice<UInt8>

    /// Not now (4xx), or never (5xx).
    var isRefusal: Bool { (400...599).contains(code) }

    init?(_ line: ArraySlice<UInt8>) {
        let digits = line.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        code = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        let rest = line.dropFirst(3)
        switch rest.first {
        case nil, UInt8(ascii: " "): isLast = true
        case UInt8(ascii: "-"): isLast = false
        case _: return nil
        }
        text = rest.dropFirst()
    }
}
