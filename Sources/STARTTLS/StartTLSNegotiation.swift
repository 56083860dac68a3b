/// One protocol's way to TLS, without a socket: it is told what came, and says what is next.
package protocol StartTLSNegotiation: Sendable {
    /// What we say before the peer has said anything; empty where the peer speaks first.
    var opening: [UInt8] { get }

    /// Takes from the front of `received` what it understands, up to the next thing that is to be done.
    ///
    /// It is called again after `send` at once, since more may be there, and after `wait` when more has come.
    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction

    /// Called when the peer ends the stream.
    /// - Parameter rest: what came and was not taken.
    /// - Returns: a refusal where the peer's words were one; nil where it said nothing about it.
    mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction?
}

extension StartTLSNegotiation {
    package var opening: [UInt8] { [] }

    package mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction? { nil }
}

/// What is next on the way to TLS.
package enum StartTLSAction: Equatable, Sendable {
    /// More has to come.
    case wait
    case send([UInt8])
    /// The peer waits for a ClientHello: nothing may stand behind what was taken.
    case ready
    /// There will be no TLS: why, and the peer's own words.
    case refused(String, ArraySlice<UInt8>, StartTLSRefusal = .lasting)

    static func send(_ command: String) -> StartTLSAction { .send(Array(command.utf8)) }
}

/// How much a peer may say before TLS.
package enum StartTLSLimits {
    /// In all.
    package static let receivedBytes = 65536
    /// In one line, one message, or one tag.
    package static let lineBytes = 4096
    /// Of the peer's words in a failure.
    package static let shownBytes = 1024
    /// What one receive takes.
    package static let receiveBytes = 16384
    /// So many receives and sends without a wait between them give the others of the thread a turn.
    package static let stepsOfTurn = 8
}

/// What a peer refuses, and for how long.
package enum StartTLSRefusal: Equatable, Sendable {
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

    package var isTemporary: Bool {
        switch self {
        case .notOffered, .lasting: false
        case .temporary: true
        case .service(let isTemporary): isTemporary
        }
    }
}

/// The words with which a peer refuses.
enum RefusalText {
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
    static func isTemporary(_ words: ArraySlice<UInt8>, hasLastingCode: Bool = false) -> Bool {
        let text = String(decoding: words.prefix(StartTLSLimits.shownBytes), as: UTF8.self).lowercased()
        return busy.contains { text.contains($0) } || !hasLastingCode && furtherBusy.contains { text.contains($0) }
    }
}

extension ReplyLine {
    /// Not now (4xx), or for other reasons that may pass.
    var isTemporary: Bool { isTemporary(in: text) }

    /// - Parameter words: of the whole reply.
    func isTemporary(in words: ArraySlice<UInt8>) -> Bool {
        (400...499).contains(code) || RefusalText.isTemporary(words, hasLastingCode: true)
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
        if RefusalText.isTemporary(line, hasLastingCode: true) { isTemporary = true }
    }

    var action: StartTLSAction {
        .refused("the greeting refuses us", lines, .service(isTemporary: isTemporary))
    }
}
