/// What a peer refuses, and for how long.
enum StartTLSRefusal: Equatable, Sendable {
    /// It serves us, and does not offer TLS.
    case notOffered
    /// It refuses TLS, or speaks another protocol.
    case lasting
    /// It refuses TLS now.
    case temporary
    /// It refuses to serve us at all.
    case service(isTemporary: Bool)

    /// A refused command, by what the reply says.
    static func command(isTemporary: Bool) -> StartTLSRefusal { isTemporary ? .temporary : .lasting }

    var isTemporary: Bool {
        switch self {
        case .notOffered, .lasting: false
        case .temporary: true
        case .service(let isTemporary): isTemporary
        }
    }
}

/// The words with which a peer refuses.
enum RefusalWords {
    /// What servers say when they are busy, in any protocol.
    private static let busy = [
        "busy", "too many", "try again", "try later", "temporar", "overload", "maximum number", "connection limit",
        "no more connections", "already connected", "already logged in", "retry",
    ]
    /// What says the same where no code says that the refusal lasts. Blocklists are "unavailable" in codes that do.
    private static let furtherBusy = [
        "later", "unavailable", "shutting down", "starting up", "in use", "maximum", "limit reached", "limit exceeded",
        "[in-use]", "[inuse]", "[sys/temp]", "[login-delay]", "(trylater", "not enough", "out of memory",
    ]

    /// Whether the refusal may pass by itself, where no code of the protocol decides.
    /// - Parameter hasLastingCode: the protocol's own code says that it lasts; only plain words say otherwise.
    static func areTemporary(_ words: ArraySlice<UInt8>, hasLastingCode: Bool = false) -> Bool {
        let text = String(decoding: words.prefix(StartTLSLimits.shownBytes), as: UTF8.self).lowercased()
        return busy.contains { text.contains($0) } || !hasLastingCode && furtherBusy.contains { text.contains($0) }
    }

    /// The words in one line for a message: bounded, and without characters that a terminal could act on.
    static func shown(_ words: ArraySlice<UInt8>) -> String {
        let spaces: Set<UInt8> = [UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: " ")]
        let parts = words.prefix(StartTLSLimits.shownBytes).split { spaces.contains($0) }
        return CertificateText.cut(CertificateText.text(Array(parts.joined(by: UInt8(ascii: " ")))[...]), to: 200)
    }
}

extension [ArraySlice<UInt8>] {
    fileprivate func joined(by separator: UInt8) -> some Sequence<UInt8> { joined(separator: [separator]) }
}

extension ReplyLine {
    /// Not now (4xx), or for other reasons that may pass.
    var isTemporary: Bool { isTemporary(in: text) }

    /// - Parameter words: of the whole reply.
    func isTemporary(in words: ArraySlice<UInt8>) -> Bool {
        (400...499).contains(code) || RefusalWords.areTemporary(words, hasLastingCode: true)
    }
}

/// A refusing reply, which may have several lines: the reason is often in the last one.
struct RefusingReply: Sendable {
    private(set) var lines: ArraySlice<UInt8> = []
    private var isTemporary = false

    /// Adds a line of the reply.
    mutating func take(_ line: ArraySlice<UInt8>) {
        if !lines.isEmpty { lines += "\r\n".utf8 }
        lines = (lines + line).prefix(StartTLSLimits.shownBytes)
        if let reply = ReplyLine(line), reply.isTemporary { isTemporary = true }
        if RefusalWords.areTemporary(line, hasLastingCode: true) { isTemporary = true }
    }

    var action: StartTLSAction {
        .refused("the greeting refuses us", lines, .service(isTemporary: isTemporary))
    }
}
