/// The file of tokens: a line for each, `name:token`; blank lines, and what follows a `#`, say nothing.
///
/// No message shows a line: a token that stands in the wrong place would be in it.
struct TokensFile {
    /// Shorter tokens can be guessed; they are taken with a warning.
    static let advisedTokenBytes = 16

    private(set) var tokens: [BearerToken] = []
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [String] = []
    private let reference: FileReference

    init(_ reference: FileReference) {
        self.reference = reference
        do {
            let file = try BoundedFile(path: reference.path)
            if file.isWorldReadable { warnings.append(FileWarning.worldReadable(reference)) }
            read(file.bytes)
        } catch {
            problems.append(reference.problem(error))
        }
    }

    private mutating func read(_ bytes: [UInt8]) {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            problems.append(reference.problem(ValueRefusal("is UTF-16; save it as UTF-8")))
            return
        }
        let lines = Self.lines(of: bytes)
        for (index, line) in lines.enumerated() {
            let trimmed = Self.trimmed(Self.withoutComment(line))
            guard let first = trimmed.first, first != UInt8(ascii: "#") else { continue }
            do {
                try take(trimmed, line: index + 1)
            } catch {
                report(error, line: index + 1)
            }
        }
        if tokens.isEmpty, problems.isEmpty {
            problems.append(reference.problem(ValueRefusal("contains no token; write one as \"name:token\" on a line")))
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>, line number: Int) throws(ValueRefusal) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw ValueRefusal("must be \"name:token\", got no colon")
        }
        guard let name = EntryName.read(line[..<colon]) else {
            throw ValueRefusal("must start with a name of \(EntryName.rule), then a colon")
        }
        let token = line[(colon + 1)...]
        guard !token.isEmpty else { throw ValueRefusal("has an empty token after the name") }
        guard token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValueRefusal("has a token with characters other than visible ASCII, which a header cannot carry")
        }
        guard !tokens.contains(where: { $0.name == name }) else {
            throw ValueRefusal("has the same name as an earlier line")
        }
        if let twin = tokens.first(where: { $0.secret.matches(token) }) {
            throw ValueRefusal("has the same token as \(twin.name)")
        }
        if token.count < Self.advisedTokenBytes {
            warn(number, "the token is shorter than \(Self.advisedTokenBytes) bytes")
        }
        tokens.append(BearerToken(name: name, secret: Secret(token)))
    }

    private mutating func report(_ refusal: ValueRefusal, line: Int) {
        let place = ConfigurationProblem.Source.file(reference.path, TextPosition(line: line, column: 1))
        problems.append(ConfigurationProblem(place, path: reference.key, reason: "the line \(refusal.reason)"))
    }

    private mutating func warn(_ line: Int, _ text: String) {
        warnings.append("\(Quote.plain(reference.path)):\(line): \(text)")
    }

    /// Lines end in LF, CRLF or CR. A byte order mark before the first is not part of it.
    private static func lines(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        var lines: [ArraySlice<UInt8>] = []
        var start = text.startIndex
        var index = start
        while index < text.endIndex {
            let byte = text[index]
            guard byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") else {
                index += 1
                continue
            }
            lines.append(text[start..<index])
            let isPair =
                byte == UInt8(ascii: "\r") && index + 1 < text.endIndex && text[index + 1] == UInt8(ascii: "\n")
            index += isPair ? 2 : 1
            start = index
        }
        return lines + [text[start...]]
    }

    /// A `#` after white space begins a comment: no token has white space in it.
    private static func withoutComment(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var previous = UInt8(ascii: " ")
        for index in line.indices {
            if line[index] == UInt8(ascii: "#"), previous == 0x20 || previous == 0x09 { return line[..<index] }
            previous = line[index]
        }
        return line
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let blanks: [UInt8] = [0x20, 0x09, 0x0D]
        guard let last = line.lastIndex(where: { !blanks.contains($0) }) else { return [] }
        return line[...last].drop { blanks.contains($0) }
    }
}

/// A token that lets its bearer ask: `Authorization: Bearer …`, RFC 6750.
package struct BearerToken: Sendable {
    /// Who it is, 1 … 64 letters, digits, `.`, `_`, `-`: for logs and metrics. Unique among the tokens.
    package let name: String
    package let secret: Secret
}

/// Bytes that are never shown: not printed, not logged, not in a dump or a crash report's mirror.
package struct Secret: Sendable {
    private let bytes: [UInt8]

    package init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// The bytes themselves, for the one place that hands them to the kernel.
    package func reveal() -> [UInt8] { bytes }

    /// Whether both are the same, in a time that depends on the candidate's length alone.
    package func matches(_ candidate: some Collection<UInt8>) -> Bool {
        var difference: UInt8 = candidate.count == bytes.count ? 0 : 1
        var index = 0
        for byte in candidate {
            difference |= byte ^ (index < bytes.count ? bytes[index] : ~byte)
            index += 1
        }
        return difference == 0
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "‹secret›" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
