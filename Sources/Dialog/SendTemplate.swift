/// What a `send` step sends: text, and groups of earlier matches.
struct SendTemplate: Sendable {
    enum Segment: Sendable {
        case bytes([UInt8])
        /// The first of these that took part in its match; a name can stand for several groups.
        case groups([GroupKey])
    }
    enum Reference {
        case number(Int)
        case name(String)
    }

    let segments: [Segment]

    init(segments: [Segment]) {
        self.segments = segments
    }

    init(_ text: String, resolve: (Reference) throws(Flaw) -> [GroupKey]) throws(Flaw) {
        var segments: [Segment] = []
        var literal: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.first {
            if rest.starts(with: "$${".utf8) {
                literal += "${".utf8
                rest = rest.dropFirst(3)
            } else if rest.starts(with: "${".utf8) {
                if !literal.isEmpty { segments.append(.bytes(literal)) }
                literal = []
                segments.append(.groups(try resolve(try Self.takeReference(&rest))))
            } else {
                literal.append(byte)
                rest = rest.dropFirst()
            }
        }
        if !literal.isEmpty { segments.append(.bytes(literal)) }
        self.segments = segments
    }

    private static func takeReference(_ rest: inout ArraySlice<UInt8>) throws(Flaw) -> Reference {
        let body = rest.dropFirst(2)
        guard let end = body.firstIndex(of: UInt8(ascii: "}")), end > body.startIndex else {
            throw Flaw("has a ${ without a group's name and } after it; $${ sends ${")
        }
        let name = String(decoding: body[..<end], as: UTF8.self)
        rest = rest[(end + 1)...]
        guard name.utf8.allSatisfy(isWord), name.utf8.count <= 32 else {
            throw Flaw("has a ${ without a group's name after it; $${ sends ${")
        }
        if name.utf8.allSatisfy(isDigit) {
            guard let number = Int(name), number <= 65535 else { throw Flaw("knows no group \(name)") }
            return .number(number)
        }
        return .name(name)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_") || (byte | 0x20) &- UInt8(ascii: "a") <= 25
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") <= 9
    }

    /// The bytes to send; nil if the groups make them more than a step may send.
    func filled(with values: [GroupKey: [UInt8]]) -> [UInt8]? {
        var result: [UInt8] = []
        for segment in segments {
            switch segment {
            case .bytes(let bytes): result += bytes
            case .groups(let keys): result += keys.lazy.compactMap { values[$0] }.first ?? []
            }
            guard result.count <= DialogLimits.filledSendBytes else { return nil }
        }
        return result
    }
}

extension SendTemplate {
    /// Reads a template of Go's `Regexp.Expand`: `$name` and `${name}`, where a name of digits is a number and a bare name
    /// is as long as it can be; `$$` is a dollar sign, and any other `$` is itself. Letters and digits of any script make names.
    /// - Parameter resolve: returns no groups for a reference without one: its value is empty.
    init(expanding text: [UInt8], resolve: (Reference) -> [GroupKey]) {
        var segments: [Segment] = []
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
                if !literal.isEmpty { segments.append(.bytes(literal)) }
                literal = []
                segments.append(.groups(resolve(reference)))
            } else {
                literal.append(byte)
            }
        }
        if !literal.isEmpty { segments.append(.bytes(literal)) }
        self.init(segments: segments)
    }

    /// Takes the reference after a dollar sign; takes nothing if there is none.
    private static func takeGoReference(_ rest: inout ArraySlice<UInt8>) -> Reference? {
        let isBraced = rest.first == UInt8(ascii: "{")
        let body = isBraced ? rest.dropFirst() : rest
        let word = body.prefix(wordLength(at: body))
        guard !word.isEmpty else { return nil }
        let following = body[word.endIndex...]
        if isBraced, following.first != UInt8(ascii: "}") { return nil }
        rest = isBraced ? following.dropFirst() : following
        let name = String(decoding: word, as: UTF8.self)
        // A number with a leading zero is a name to Go.
        let isNumber =
            word.allSatisfy { (0x30...0x39).contains($0) } && (word.count == 1 || word.first != UInt8(ascii: "0"))
        guard isNumber else { return .name(name) }
        // No pattern has a group with such a large number.
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
