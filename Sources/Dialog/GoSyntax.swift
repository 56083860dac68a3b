internal import NetworkTypes

/// Reads a regular expression in Go's syntax as far as it differs from RE2's in C++.
///
/// Go takes `(?<name>…)` and a name that occurs twice, RE2 does not. So groups lose their names here, and callers find
/// them by number. Go also refuses some patterns that RE2 takes.
struct GoSyntax {
    /// The pattern for RE2, with all groups unnamed.
    private(set) var pattern: [UInt8] = []
    /// The named groups, in the order of their numbers.
    private(set) var names: [(name: String, number: Int)] = []

    private var rest: ArraySlice<UInt8>
    private var groupCount = 0
    /// For each open parenthesis, whether it captures.
    private var open: [Bool] = []
    private var capturingDepth = 0

    /// Go's limit for the height of a syntax tree.
    private static let maximumHeight = 1000
    /// From here on Go's parser gives up on a repeat count, and RE2's reads the text literally.
    private static let maximumCount = 100_000_000

    init(_ text: [UInt8]) throws(Flaw) {
        rest = text[...]
        pattern.reserveCapacity(text.count)
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "\\"): try takeEscape()
            case UInt8(ascii: "["): takeClass()
            case UInt8(ascii: "("): try openGroup()
            case UInt8(ascii: ")"): closeGroup()
            case UInt8(ascii: "{"): try takeBrace()
            case _: take(1)
            }
        }
    }

    private mutating func take(_ count: Int) {
        pattern += rest.prefix(count)
        rest = rest.dropFirst(count)
    }

    private mutating func takeEscape() throws(Flaw) {
        switch rest.dropFirst().first {
        case UInt8(ascii: "Q"):
            take(2)
            while !rest.isEmpty, !rest.starts(with: #"\E"#.utf8) { take(1) }
            take(2)
        case UInt8(ascii: "C"):
            throw Flaw("is not a pattern of RE2 as Go reads it: invalid escape sequence: \\C")
        case _:
            take(2)
        }
    }

    /// Takes a class as a whole: parentheses in it are characters.
    private mutating func takeClass() {
        take(1)
        if rest.first == UInt8(ascii: "^") { take(1) }
        var isFirst = true
        while let byte = rest.first {
            if byte == UInt8(ascii: "]"), !isFirst { break }
            isFirst = false
            if byte == UInt8(ascii: "\\") {
                take(2)
            } else if rest.starts(with: "[:".utf8), let end = Self.endOfClassName(rest.dropFirst(2)) {
                take(end - rest.startIndex)
            } else {
                take(1)
            }
        }
        take(1)
    }

    /// The index after the first `:]`.
    private static func endOfClassName(_ text: ArraySlice<UInt8>) -> Int? {
        text.indices.dropLast().first { text[$0] == UInt8(ascii: ":") && text[$0 + 1] == UInt8(ascii: "]") }.map {
            $0 + 2
        }
    }

    private mutating func openGroup() throws(Flaw) {
        if rest.starts(with: "(?<=".utf8) || rest.starts(with: "(?<!".utf8) {
            throw Flaw("is not a pattern of RE2: it has no lookbehind")
        }
        if rest.starts(with: "(?P<".utf8) { return try openNamedGroup(prefixLength: 4) }
        if rest.starts(with: "(?<".utf8) { return try openNamedGroup(prefixLength: 3) }
        let captures = !rest.starts(with: "(?".utf8)
        take(1)
        try open(captures: captures)
    }

    private mutating func openNamedGroup(prefixLength: Int) throws(Flaw) {
        let name = rest.dropFirst(prefixLength).prefix { $0 != UInt8(ascii: ">") }
        guard name.endIndex < rest.endIndex, !name.isEmpty, name.allSatisfy(Self.isWordByte) else {
            let shown = VisibleText.of(
                PrintableBytes.text(rest.prefix(prefixLength + min(name.count, 32) + 1)))
            throw Flaw(
                "is not a pattern of RE2: invalid named capture: \(shown); a name has ASCII letters, digits and _")
        }
        rest = rest[(name.endIndex + 1)...]
        // Without the name, a question mark would begin another kind of group.
        guard rest.first != UInt8(ascii: "?") else {
            throw Flaw("is not a pattern of RE2: no argument for repetition operator: ?")
        }
        pattern.append(UInt8(ascii: "("))
        try open(captures: true)
        names.append((String(decoding: name, as: UTF8.self), groupCount))
    }

    private mutating func open(captures: Bool) throws(Flaw) {
        open.append(captures)
        guard captures else { return }
        groupCount += 1
        capturingDepth += 1
        guard capturingDepth < Self.maximumHeight else {
            throw Flaw("is not a pattern of RE2 as Go reads it: it nests more than \(Self.maximumHeight) levels")
        }
    }

    private mutating func closeGroup() {
        if let captures = open.popLast(), captures { capturingDepth -= 1 }
        take(1)
    }

    /// Refuses `{n}` and `{n,m}` with numbers that RE2 would not read as numbers.
    private mutating func takeBrace() throws(Flaw) {
        var body = rest.dropFirst().prefix { $0 != UInt8(ascii: "}") }
        guard body.endIndex < rest.endIndex else { return take(1) }
        let shown = body
        guard let low = Self.takeCount(&body) else { return take(1) }
        var counts = [low]
        if body.first == UInt8(ascii: ",") {
            body = body.dropFirst()
            if !body.isEmpty {
                guard let high = Self.takeCount(&body) else { return take(1) }
                counts.append(high)
            }
        }
        if body.isEmpty, counts.contains(where: { $0 > Self.maximumCount }) {
            throw Flaw(
                "is not a pattern of RE2: invalid repetition size: {\(String(decoding: shown.prefix(32), as: UTF8.self))}"
            )
        }
        take(1)
    }

    private static func takeCount(_ text: inout ArraySlice<UInt8>) -> Int? {
        let digits = text.prefix { (0x30...0x39).contains($0) }
        guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        text = text[digits.endIndex...]
        return digits.count > 9 ? Int.max : Int(String(decoding: digits, as: UTF8.self))
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") || (byte | 0x20) &- UInt8(ascii: "a") <= 25
    }
}
