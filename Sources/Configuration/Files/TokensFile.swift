/// The file of tokens: a line for each, `name:token`; blank lines and lines that begin with `#` say nothing.
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
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let trimmed = Self.trimmed(line)
            guard let first = trimmed.first, first != UInt8(ascii: "#") else { continue }
            do {
                try take(trimmed, line: index + 1)
            } catch {
                report(error, line: index + 1)
            }
        }
        if tokens.isEmpty, problems.isEmpty {
            problems.append(reference.problem(ValueRefusal("holds no token; write one as \"name:token\" on a line")))
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>, line number: Int) throws(ValueRefusal) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw ValueRefusal("must be \"name:token\": there is no colon")
        }
        guard let name = EntryName.read(line[..<colon]) else {
            throw ValueRefusal("must begin with a name of \(EntryName.rule), and a colon")
        }
        let token = line[(colon + 1)...]
        guard !token.isEmpty else { throw ValueRefusal("has an empty token behind the name") }
        guard token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValueRefusal("has a token with other characters than visible ASCII, which no header can carry")
        }
        guard !tokens.contains(where: { $0.name == name }) else {
            throw ValueRefusal("has the name of an earlier line")
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

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let blanks: [UInt8] = [0x20, 0x09, 0x0D]
        guard let last = line.lastIndex(where: { !blanks.contains($0) }) else { return [] }
        return line[...last].drop { blanks.contains($0) }
    }
}
