/// Lines of ManageSieve, in which literals may stand: `{5}` at the end of a line, then five bytes, behind which the line
/// goes on (RFC 5804, 4).
struct SieveLines {
    enum Next {
        case line(ArraySlice<UInt8>)
        case incomplete
        case tooLong(ArraySlice<UInt8>)
    }

    /// The line up to the end of its latest literal.
    private var head: ArraySlice<UInt8> = []
    private var literalBytesLeft = 0

    /// Takes the next whole line, its literals included, without its end.
    mutating func next(_ received: inout ArraySlice<UInt8>) -> Next {
        while true {
            let literal = received.prefix(literalBytesLeft)
            head += literal
            literalBytesLeft -= literal.count
            received = received.dropFirst(literal.count)
            guard head.count + received.count <= StartTLSLimits.lineBytes || received.contains(UInt8(ascii: "\n"))
            else {
                return .tooLong(head + received)
            }
            guard literalBytesLeft == 0, let end = received.firstIndex(of: UInt8(ascii: "\n")) else {
                return .incomplete
            }
            let part = received[..<end]
            head += part.last == UInt8(ascii: "\r") ? part.dropLast() : part
            received = received[(end + 1)...]
            guard head.count <= StartTLSLimits.lineBytes else { return .tooLong(head) }
            guard let count = Self.literalBytes(at: part) else {
                defer { head = [] }
                return .line(head)
            }
            guard count <= StartTLSLimits.lineBytes else { return .tooLong(head) }
            literalBytesLeft = count
        }
    }

    /// The number in `{5}` or `{5+}` at the end of a line.
    private static func literalBytes(at line: ArraySlice<UInt8>) -> Int? {
        var rest = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        guard rest.popLast() == UInt8(ascii: "}") else { return nil }
        if rest.last == UInt8(ascii: "+") { rest.removeLast() }
        let digits = rest.suffix(6).reversed().prefix { (0x30...0x39).contains($0) }
        guard rest.dropLast(digits.count).last == UInt8(ascii: "{") else { return nil }
        return Int(String(decoding: digits.reversed(), as: UTF8.self))
    }
}
