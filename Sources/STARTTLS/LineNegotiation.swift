/// A protocol of lines that end in CRLF. A bare LF is accepted too.
protocol LineNegotiation: StartTLSNegotiation {
    /// Takes one line, without its end.
    mutating func advance(line: ArraySlice<UInt8>) -> StartTLSAction
}

extension LineNegotiation {
    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        while let line = Self.takeLine(&received) {
            guard line.count <= StartTLSLimits.lineBytes else { return .refused("the line is too long", line) }
            let action = advance(line: line)
            guard action == .wait else { return action }
        }
        guard received.count <= StartTLSLimits.lineBytes else { return .refused("the line is too long", received) }
        return .wait
    }

    mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction? { refusal(in: rest) }

    /// Reads a last line without a line end. Only a refusal of service counts. Anything else may be the beginning of a
    /// success.
    mutating func refusal(in rest: ArraySlice<UInt8>) -> StartTLSAction? {
        guard !rest.isEmpty, rest.count <= StartTLSLimits.lineBytes else { return nil }
        let action = advance(line: rest.last == UInt8(ascii: "\r") ? rest.dropLast() : rest)
        if case .refused(_, _, .service) = action { return action }
        return nil
    }

    private static func takeLine(_ received: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = received.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = received[..<end]
        received = received[(end + 1)...]
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}

extension ArraySlice<UInt8> {
    /// The words between spaces, with ASCII letters in uppercase.
    var capitalWords: [String] {
        split(separator: UInt8(ascii: " ")).map { $0.capitals }
    }

    /// The text, with ASCII letters in uppercase. No other character becomes an ASCII letter.
    var capitals: String {
        String(decoding: map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }, as: UTF8.self)
    }
}

/// A line of a reply with a three-digit code, RFC 5321, 4.2 and RFC 959, 4.2.
struct ReplyLine {
    let code: Int
    /// Whether this is the last line of the reply.
    let isLast: Bool
    let text: ArraySlice<UInt8>

    /// Whether the code is a temporary (4xx) or permanent (5xx) failure.
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

/// The peer's capabilities, one per line, and whether TLS is one of them.
struct CapabilityList {
    private(set) var hasTLS = false
    /// The received lines, as far as a failure shows them.
    private(set) var lines: ArraySlice<UInt8> = []

    /// - Parameter capability: the part of the line that names a capability; nil if the line names none.
    /// - Parameter name: the name of the TLS capability, in uppercase.
    mutating func take(_ line: ArraySlice<UInt8>, capability: ArraySlice<UInt8>?, name: String) {
        if capability?.capitalWords.first == name { hasTLS = true }
        if !lines.isEmpty { lines += "\r\n".utf8 }
        lines = (lines + line).prefix(StartTLSLimits.shownBytes)
    }
}
