extension SendTemplate {
    /// Reads a template of Go's `Regexp.Expand`: `$name` and `${name}`, where a name of digits is a number and a bare name
    /// is as long as it can be; `$$` is a dollar sign, and any other `$` is itself.
    /// - Parameter resolve: gives no groups for what there is none of: it is empty.
    init(expanding text: String, resolve: (Reference) -> [GroupKey]) {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "$") else {
                literal.append(byte)
                continue
            }
            if rest.first == UInt8(ascii: "$") {
                literal.append(rest.removeFirst())
            } else if let reference = Self.takeGoReference(&rest) {
                if !literal.isEmpty { pieces.append(.bytes(literal)) }
                literal = []
                pieces.append(.groups(resolve(reference)))
            } else {
                literal.append(byte)
            }
        }
        if !literal.isEmpty { pieces.append(.bytes(literal)) }
        self.init(pieces: pieces)
    }

    /// Takes what stands behind a dollar sign; nothing where it is no reference.
    private static func takeGoReference(_ rest: inout ArraySlice<UInt8>) -> Reference? {
        let isBraced = rest.first == UInt8(ascii: "{")
        let body = isBraced ? rest.dropFirst() : rest
        let word = body.prefix(while: isWordByte)
        guard !word.isEmpty else { return nil }
        let behind = body[word.endIndex...]
        if isBraced, behind.first != UInt8(ascii: "}") { return nil }
        rest = isBraced ? behind.dropFirst() : behind
        let name = String(decoding: word, as: UTF8.self)
        guard word.allSatisfy({ (0x30...0x39).contains($0) }) else { return .name(name) }
        // A number beyond every pattern is one of no group.
        return .number(Int(name).map { min($0, 65536) } ?? 65536)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") || (byte | 0x20) &- UInt8(ascii: "a") <= 25
    }
}
