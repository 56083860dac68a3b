/// A protocol of lines, which end in CRLF; a bare LF is taken too.
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

    /// Reads a last line that has no end. Only a refusal of service counts: anything else may be the beginning of a good
    /// line.
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
    /// The words between spaces, with capital letters of ASCII.
    var capitalWords: [String] {
        split(separator: UInt8(ascii: " ")).map { $0.capitals }
    }

    /// As text, with capital letters of ASCII; no other letter becomes one of ASCII by it.
    var capitals: String {
        String(decoding: map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }, as: UTF8.self)
    }
}
