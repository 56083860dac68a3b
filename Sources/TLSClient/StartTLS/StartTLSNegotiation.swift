/// One protocol's way to TLS, without a socket: it is told what came, and says what is next.
protocol StartTLSNegotiation: Sendable {
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
    var opening: [UInt8] { [] }

    mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction? { nil }
}

/// What is next on the way to TLS.
enum StartTLSAction: Equatable, Sendable {
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
enum StartTLSLimits {
    /// In all.
    static let receivedBytes = 65536
    /// In one line, one message, or one tag.
    static let lineBytes = 4096
    /// Of the peer's words in a failure.
    static let shownBytes = 1024
    /// What one receive takes.
    static let receiveBytes = 16384
    /// So many receives and sends without a wait between them give the others of the thread a turn.
    static let stepsOfTurn = 8
}
