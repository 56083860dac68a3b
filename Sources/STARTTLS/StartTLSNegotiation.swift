/// The STARTTLS negotiation of one protocol, without a socket. It receives bytes, and returns the next action.
package protocol StartTLSNegotiation: Sendable {
    /// The bytes to send before the peer sends any; empty if the peer speaks first.
    var opening: [UInt8] { get }

    /// Takes the bytes that it understands from the front of `received`, up to the next action.
    ///
    /// It is called again at once after `send`, because more bytes may be available, and after `wait` when more have
    /// arrived.
    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction

    /// Called at EOF.
    /// - Parameter rest: the received bytes that were not taken.
    /// - Returns: a refusal if the peer has sent one, otherwise nil.
    mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction?
}

extension StartTLSNegotiation {
    package var opening: [UInt8] { [] }

    package mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction? { nil }
}

/// The next action of a negotiation.
package enum StartTLSAction: Equatable, Sendable {
    /// Wait for more bytes.
    case wait
    case send([UInt8])
    /// The peer waits for a ClientHello. No byte may follow those that were taken.
    case ready
    /// TLS will not start: the reason, and the peer's own text.
    case refused(String, ArraySlice<UInt8>, StartTLSRefusal = .lasting)

    static func send(_ command: String) -> StartTLSAction { .send(Array(command.utf8)) }
}

/// Limits for the bytes that a peer may send before TLS.
package enum StartTLSLimits {
    /// In total.
    package static let receivedBytes = 65536
    /// In one line, message or tag.
    package static let lineBytes = 4096
    /// Of the peer's text in a failure.
    package static let shownBytes = 1024
    /// The size of one receive.
    package static let receiveBytes = 16384
    /// The number of receives and sends without a wait, after which other work on the thread gets its turn.
    package static let stepsOfTurn = 8
}

/// What a peer refuses, and for how long.
package enum StartTLSRefusal: Equatable, Sendable {
    /// It serves the client, but does not offer TLS.
    case notOffered
    /// It refuses TLS, or speaks another protocol.
    case lasting
    /// It refuses TLS for now.
    case temporary
    /// It refuses to serve the client at all.
    case service(isTemporary: Bool)

    /// The refusal of a command, by its reply.
    static func command(isTemporary: Bool) -> StartTLSRefusal { isTemporary ? .temporary : .lasting }

    package var isTemporary: Bool {
        switch self {
        case .notOffered, .lasting: false
        case .temporary: true
        case .service(let isTemporary): isTemporary
        }
    }
}

/// Texts of refusals.
enum RefusalText {
    /// Texts of servers that are busy, in any protocol.
    private static let busy = [
        "busy", "too many", "try again", "try later", "temporar", "overload", "maximum number", "connection limit",
        "no more connections", "already connected", "already logged in", "retry",
    ]
    /// The same, if no code says that the refusal is permanent. Blocklists say "unavailable" with a permanent code.
    private static let furtherBusy = [
        "later", "unavailable", "shutting down", "starting up", "in use", "maximum", "limit reached", "limit exceeded",
        "[in-use]", "[inuse]", "[sys/temp]", "[login-delay]", "(trylater", "not enough", "out of memory",
    ]

    /// Whether the refusal is temporary, if no code of the protocol decides.
    /// - Parameter hasLastingCode: whether the protocol's own code is permanent. Only an explicit text overrides it.
    static func isTemporary(_ words: ArraySlice<UInt8>, hasLastingCode: Bool = false) -> Bool {
        let text = String(decoding: words.prefix(StartTLSLimits.shownBytes), as: UTF8.self).lowercased()
        return busy.contains { text.contains($0) } || !hasLastingCode && furtherBusy.contains { text.contains($0) }
    }
}

extension ReplyLine {
    /// Whether the failure is temporary: 4xx, or another temporary reason.
    var isTemporary: Bool { isTemporary(in: text) }

    /// - Parameter words: the text of the whole reply.
    func isTemporary(in words: ArraySlice<UInt8>) -> Bool {
        (400...499).contains(code) || RefusalText.isTemporary(words, hasLastingCode: true)
    }
}

/// A refusing reply, which can have several lines. The reason is often in the last one.
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
