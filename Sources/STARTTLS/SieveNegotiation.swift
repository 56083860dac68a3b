/// STARTTLS of ManageSieve, RFC 5804, 2.2.
struct SieveNegotiation: StartTLSNegotiation {
    private var isStarting = false
    private var offered = CapabilityList()
    private var lines = SieveLines()

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        while true {
            switch lines.next(&received) {
            case .incomplete: return .wait
            case .tooLong(let line): return .refused("the line is too long", line)
            case .line(let line):
                let action = isStarting ? answer(line) : greeting(line)
                guard action == .wait else { return action }
            }
        }
    }

    /// Reads capabilities, one per line, until a line with OK (RFC 5804, 1.7).
    private mutating func greeting(_ line: ArraySlice<UInt8>) -> StartTLSAction {
        if line.first == UInt8(ascii: "\"") || line.first == UInt8(ascii: "{") {
            offered.take(line, capability: line, name: "\"STARTTLS\"")
            return .wait
        }
        switch Self.verdict(of: line) {
        case "OK":
            guard offered.hasTLS else { return .refused("it does not offer STARTTLS", offered.lines, .notOffered) }
            isStarting = true
            return .send("STARTTLS\r\n")
        case "NO", "BYE":
            let isTemporary = RefusalText.isTemporary(line)
            return .refused("the greeting refuses us", line, .service(isTemporary: isTemporary))
        case _: return .refused("this is not ManageSieve", line)
        }
    }

    private func answer(_ line: ArraySlice<UInt8>) -> StartTLSAction {
        if Self.verdict(of: line) == "OK" { return .ready }
        return .refused("it refuses STARTTLS", line, .command(isTemporary: RefusalText.isTemporary(line)))
    }

    /// OK, NO or BYE, with an optional code in parentheses and an optional text.
    private static func verdict(of line: ArraySlice<UInt8>) -> String {
        line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "(") }.capitals
    }
}

/// Lines of ManageSieve, which can contain literals (RFC 5804, 4). `{5}` at the end of a line announces five bytes,
/// after which the line continues.
struct SieveLines {
    enum Next {
        case line(ArraySlice<UInt8>)
        case incomplete
        case tooLong(ArraySlice<UInt8>)
    }

    /// The line up to the end of its latest literal.
    private var head: ArraySlice<UInt8> = []
    private var literalBytesLeft = 0

    /// Takes the next complete line with its literals, without its line end.
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
