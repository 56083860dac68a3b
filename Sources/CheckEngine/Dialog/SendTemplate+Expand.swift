extension SendTemplate {
    /// Reads a template of Go's `Regexp.Expand`: `$name` and `${name}`, where a name of digits is a number and a bare name
    /// is as long as it can be; `$$` is a dollar sign, and any other `$` is itself. Letters and digits of any script make names.
    /// - Parameter resolve: gives no groups for what there is none of: it is empty.
    init(expanding text: [UInt8], resolve: (Reference) -> [GroupKey]) {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var rest = text[...]
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
        let word = body.prefix(wordLength(at: body))
        guard !word.isEmpty else { return nil }
        let behind = body[word.endIndex...]
        if isBraced, behind.first != UInt8(ascii: "}") { return nil }
        rest = isBraced ? behind.dropFirst() : behind
        let name = String(decoding: word, as: UTF8.self)
        // A number with a leading zero is a name to Go.
        let isNumber =
            word.allSatisfy { (0x30...0x39).contains($0) } && (word.count == 1 || word.first != UInt8(ascii: "0"))
        guard isNumber else { return .name(name) }
        // A number beyond every pattern is one of no group.
        return .number(Int(name).map { min($0, 65536) } ?? 65536)
    }

    /// The length of the letters, digits and underscores at the front, in bytes.
    private static func wordLength(at text: ArraySlice<UInt8>) -> Int {
        var rest = text
        while !rest.isEmpty {
            let length = GoUTF8.length(of: rest)
            guard length > 0, let scalar = String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars.first,
                isWord(scalar)
            else { break }
            rest = rest.dropFirst(length)
        }
        return text.count - rest.count
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber: true
        default: scalar == "_"
        }
    }
}
