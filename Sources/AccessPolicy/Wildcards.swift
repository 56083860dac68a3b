public import NetworkTypes

/// A pattern of host names: `db.corp.example`, `*.corp.example`, `db-*.corp.example`.
///
/// A `*` as the whole first label matches one or more labels: `*.corp.example` matches every name below `corp.example`,
/// but not that name itself; `*` alone matches every name. Elsewhere `*` and `?` match within a label. Case and a
/// trailing dot are ignored. An IDN is compared in its ASCII form.
public struct HostPattern: Hashable, Sendable {
    public let text: String
    private let wildcards: Wildcards

    /// - Throws: An error if the pattern cannot match any host name.
    public init(_ text: String) throws(PolicyRuleError) {
        guard IPAddress(parsing: text) == nil else {
            throw PolicyRuleError("a host pattern must not be an address: write it in cidr", member: .host)
        }
        let bytes = Self.folded(try Self.asciiForm(of: text))
        let labels = bytes.split(separator: .dot, omittingEmptySubsequences: false)
        guard labels.allSatisfy(Self.isLabel), bytes.count <= 253 else {
            throw PolicyRuleError(
                "a host pattern must have at most 253 bytes, in labels of letters, digits, \"-\", \"_\", \"*\" and \"?\"",
                member: .host)
        }
        let beginsWithStar = labels.first?.elementsEqual([UInt8(ascii: "*")]) ?? false
        self.text = text
        wildcards = Wildcards(beginsWithStar ? [UInt8(ascii: "*")] + bytes : bytes, separator: .dot)
    }

    public func matches(_ name: String) -> Bool {
        wildcards.matches(Self.folded(name))
    }

    /// Returns the pattern with each international label in its ASCII form.
    private static func asciiForm(of text: String) throws(PolicyRuleError) -> String {
        guard !text.utf8.allSatisfy({ $0 < 0x80 }) else { return text }
        var labels: [String] = []
        for label in text.split(separator: ".", omittingEmptySubsequences: false) {
            labels.append(try asciiForm(ofLabel: String(label)))
        }
        return labels.joined(separator: ".")
    }

    private static func asciiForm(ofLabel label: String) throws(PolicyRuleError) -> String {
        guard !label.utf8.allSatisfy({ $0 < 0x80 }) else { return label }
        guard !label.contains(where: { $0 == "*" || $0 == "?" }) else {
            throw PolicyRuleError(
                "a label of a host pattern must not have both a wildcard and characters that are not ASCII, because names "
                    + "are compared in ASCII: leave out the wildcard, or write xn--*", member: .host)
        }
        do throws(TargetError) {
            return try InternationalName.ascii(label)
        } catch {
            throw PolicyRuleError("a host pattern must be a valid name: \(error.detail)", member: .host)
        }
    }

    /// Returns the name in lowercase, without a trailing dot.
    private static func folded(_ name: String) -> [UInt8] {
        var bytes = name.utf8.map(\.lowercasedASCII)
        if bytes.last == .dot { bytes.removeLast() }
        return bytes
    }

    private static func isLabel(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.count <= 63
            && bytes.allSatisfy { $0.isASCIILetter || $0.decimalDigit != nil || "-_*?".utf8.contains($0) }
    }
}

/// A pattern of UNIX-domain sockets: `/run/app/*.sock`, `/run/**`, `@name-?`.
///
/// `*` matches within a segment of the path, `**` across segments (`/**/` also matches a single slash), and `?` one
/// character. Wildcards cannot be escaped. A pattern with `@` matches abstract names only, one with a slash paths only.
public struct PathPattern: Hashable, Sendable {
    public let text: String
    private let isAbstract: Bool
    private let wildcards: Wildcards

    /// - Throws: An error if it begins with neither a slash nor `@`, or cannot match any path as the kernel writes it.
    public init(_ text: String) throws(PolicyRuleError) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, first == .slash || first == .atSign else {
            throw PolicyRuleError(
                "a path pattern must begin with \"/\", or with \"@\" for abstract names", member: .path)
        }
        guard bytes.count <= UnixAddress.limitBytes, !bytes.contains(0) else {
            throw PolicyRuleError(
                "a path pattern must have at most \(UnixAddress.limitBytes) bytes and no NUL", member: .path)
        }
        isAbstract = first == .atSign
        guard isAbstract ? bytes.count > 1 : Self.isPlain(bytes) else {
            throw PolicyRuleError(
                "a path pattern must not have an empty segment, \".\", \"..\" or an empty name", member: .path)
        }
        self.text = text
        wildcards = Wildcards(isAbstract ? Array(bytes.dropFirst()) : bytes, separator: .slash)
    }

    public func matches(_ address: UnixAddress) -> Bool {
        switch address {
        case .path(let bytes): !isAbstract && wildcards.matches(bytes)
        case .abstract(let bytes): isAbstract && wildcards.matches(bytes)
        }
    }

    /// Whether the pattern can match more than one socket.
    public var hasWildcards: Bool { wildcards.hasWildcards }

    private static func isPlain(_ path: [UInt8]) -> Bool {
        path.dropFirst().split(separator: .slash, omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.elementsEqual([.dot]) && !$0.elementsEqual([.dot, .dot])
        }
    }
}

/// A pattern of bytes with wildcards, in segments between separators.
///
/// `*` matches any number of bytes within a segment, `**` any bytes, `?` one character of a segment. `**` as a whole
/// segment also matches no segment (`/a/**/b` matches `/a/b`). Wildcards cannot be escaped. Matching takes time
/// proportional to the product of both lengths, for every pattern.
struct Wildcards: Hashable, Sendable {
    private enum Token: Hashable, Sendable {
        case literal(UInt8)
        case character
        /// The continuation bytes of a UTF-8 character, if any.
        case continuation
        case withinSegment
        case anything
        /// Nothing, or what `segmentsBody` matches.
        case segments
        /// Anything that ends with a separator.
        case segmentsBody
    }

    private let tokens: [Token]
    private let separator: UInt8
    /// Whether the pattern has wildcards.
    let hasWildcards: Bool

    init(_ pattern: [UInt8], separator: UInt8) {
        var tokens: [Token] = []
        var index = 0
        while index < pattern.count {
            let stars = pattern[index...].prefix { $0 == UInt8(ascii: "*") }.count
            switch (pattern[index], stars) {
            case (UInt8(ascii: "?"), _):
                tokens += [.character, .continuation]
            case (_, 0):
                tokens.append(.literal(pattern[index]))
            case (_, 1):
                tokens.append(.withinSegment)
            case (_, _):
                let end = index + stars
                let isSegment = index > 0 && pattern[index - 1] == separator
                if isSegment, end < pattern.count, pattern[end] == separator {
                    tokens += [.segments, .segmentsBody]
                    index += 1
                } else {
                    tokens.append(.anything)
                }
            }
            index += max(stars, 1)
        }
        self.tokens = tokens
        self.separator = separator
        hasWildcards = pattern.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
    }

    /// Whether the pattern matches the whole text.
    func matches(_ text: [UInt8]) -> Bool {
        var reached = [Bool](repeating: false, count: tokens.count + 1)
        reached[0] = true
        passEmpty(&reached)
        for byte in text {
            reached = step(from: reached, over: byte)
            passEmpty(&reached)
        }
        return reached[tokens.count]
    }

    /// Marks the positions that are reached when tokens match nothing.
    private func passEmpty(_ reached: inout [Bool]) {
        for index in tokens.indices where reached[index] {
            switch tokens[index] {
            case .literal, .character, .segmentsBody: break
            case .continuation, .withinSegment, .anything: reached[index + 1] = true
            case .segments:
                reached[index + 1] = true
                reached[index + 2] = true
            }
        }
    }

    private func step(from reached: [Bool], over byte: UInt8) -> [Bool] {
        let isContinuation = byte & 0xC0 == 0x80
        var next = [Bool](repeating: false, count: reached.count)
        for index in tokens.indices where reached[index] {
            switch tokens[index] {
            case .literal(let literal): if byte == literal { next[index + 1] = true }
            case .character: if byte != separator && !isContinuation { next[index + 1] = true }
            case .continuation: if isContinuation { next[index] = true }
            case .withinSegment: if byte != separator { next[index] = true }
            case .anything: next[index] = true
            case .segments: break
            case .segmentsBody:
                next[index] = true
                if byte == separator { next[index + 1] = true }
            }
        }
        return next
    }
}
