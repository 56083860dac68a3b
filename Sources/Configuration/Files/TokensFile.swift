internal import NetworkTypes
internal import SocketIO

/// The tokens file: one `name:token` per line, with options after a blank; blank lines and comments after `#` are ignored.
///
/// A line holds the token itself, or `sha256:` and its digest. Messages never quote a line, because it could contain a
/// misplaced token.
package struct TokensFile {
    /// The recommended minimum length. Shorter tokens can be guessed, and cause a warning.
    package static let advisedTokenBytes = 16
    /// The longest file, in bytes.
    package static let mostBytes = BoundedFile.maximumBytes

    private(set) var tokens: [BearerToken] = []
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [String] = []
    private let reference: FileReference
    /// The time for expiry dates, in seconds since 1970.
    private let now: Int64
    /// How many tokens the file holds in plain text.
    private var plainCount = 0

    /// Reads one line, as a line of the file.
    package static func read(line: String) throws(ValueRefusal) -> BearerToken {
        var file = TokensFile(FileReference(path: "", source: .flag(""), key: ""), contents: [])
        try file.take(Array(line.utf8)[...], line: 1)
        guard let token = file.tokens.first else { throw ValueRefusal("is empty") }
        return token
    }

    /// Whether a file may have one more line.
    /// - Throws: The first problem of the file, or of the line in it.
    package static func validate(_ bytes: [UInt8], appending line: String) throws(ValueRefusal) {
        var file = TokensFile(FileReference(path: "", source: .flag(""), key: ""), contents: bytes)
        if let problem = file.problems.first {
            throw ValueRefusal("has a problem at line \(problem.position?.line ?? 0): \(problem.reason)")
        }
        try file.take(Array(line.utf8)[...], line: 0)
    }

    private init(_ reference: FileReference, contents: [UInt8]) {
        self.reference = reference
        now = Clock.wallNanoseconds() / 1_000_000_000
        readLines(of: contents)
    }

    init(_ reference: FileReference, now: Int64 = Clock.wallNanoseconds() / 1_000_000_000) {
        self.reference = reference
        self.now = now
        do {
            let file = try BoundedFile(path: reference.path)
            if file.isWorldReadable { warnings.append(FileWarning.worldReadable(reference)) }
            read(file.bytes)
            if plainCount > 0 { warnings.append(plainTextWarning) }
        } catch {
            problems.append(reference.problem(error))
        }
    }

    private var plainTextWarning: String {
        """
        \(reference.key): \(Quote.file(reference.path)) holds \(plainCount) \(plainCount == 1 ? "token" : "tokens") in plain \
        text; store hashes instead: connectd token add NAME --file \(Quote.plain(reference.path))
        """
    }

    private mutating func read(_ bytes: [UInt8]) {
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            problems.append(reference.problem(ValueRefusal("is UTF-16; save it as UTF-8")))
            return
        }
        readLines(of: bytes)
        if tokens.isEmpty, problems.isEmpty {
            problems.append(reference.problem(ValueRefusal("contains no token; write one as \"name:token\" on a line")))
        }
    }

    private mutating func readLines(of bytes: [UInt8]) {
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
    }

    private mutating func take(_ line: ArraySlice<UInt8>, line number: Int) throws(ValueRefusal) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw ValueRefusal("must be \"name:token\", got no colon")
        }
        guard let name = EntryName.read(line[..<colon]) else {
            throw ValueRefusal("must start with a name of \(EntryName.rule), then a colon")
        }
        let words = line[(colon + 1)...].split(whereSeparator: Self.isBlank)
        guard line.index(after: colon) < line.endIndex, !Self.isBlank(line[colon + 1]), let secret = words.first else {
            throw ValueRefusal("has an empty token after the name")
        }
        guard !tokens.contains(where: { $0.name == name }) else {
            throw ValueRefusal("has the same name as an earlier line")
        }
        var token = BearerToken(name: name, digest: try digest(of: secret, line: number))
        for word in words.dropFirst() { try TokenOption.apply(word, to: &token) }
        if let twin = tokens.first(where: { $0.digest.matches(token.digest.reveal()) }) {
            throw ValueRefusal("has the same token as \(twin.name)")
        }
        if token.isExpired(at: now) { warn(number, "the token \(name) has expired") }
        tokens.append(token)
    }

    private mutating func digest(of secret: ArraySlice<UInt8>, line: Int) throws(ValueRefusal) -> Secret {
        if secret.starts(with: TokenDigest.prefix.utf8) {
            guard let digest = TokenDigest.read(secret) else {
                throw ValueRefusal("has \"sha256:\" without 64 hexadecimal digits after it")
            }
            return Secret(digest)
        }
        guard secret.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValueRefusal("has a token with characters other than visible ASCII, which a header cannot carry")
        }
        if secret.count < Self.advisedTokenBytes {
            warn(line, "the token is shorter than \(Self.advisedTokenBytes) bytes")
        }
        plainCount += 1
        return Secret(TokenDigest.digest(of: Array(secret)))
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private mutating func report(_ refusal: ValueRefusal, line: Int) {
        let place = ConfigurationProblem.Source.file(reference.path, TextPosition(line: line, column: 1))
        problems.append(ConfigurationProblem(place, path: reference.key, reason: "the line \(refusal.reason)"))
    }

    private mutating func warn(_ line: Int, _ text: String) {
        warnings.append("\(Quote.plain(reference.path)):\(line): \(text)")
    }

    /// Splits at LF, CRLF or CR. Drops a byte order mark.
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

    /// A `#` after white space starts a comment: tokens contain no white space.
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

/// Secret bytes, which descriptions, logs, dumps and mirrors do not contain.
package struct Secret: Sendable {
    private let bytes: [UInt8]

    package init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// The bytes, for the code that passes them to the kernel or compares them.
    package func reveal() -> [UInt8] { bytes }

    /// Compares in a time that depends only on the candidate's length.
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
