/// STARTTLS of IRC (IRCv3 `tls`), before the registration.
///
/// Servers also send notices, which are ignored, and PINGs, which are answered: some servers wait for the PONG.
struct IRCNegotiation: LineNegotiation {
    private enum State {
        case capabilities, starting
    }

    private var state = State.capabilities
    private var isOffered = false

    let opening = Array("CAP LS 302\r\n".utf8)

    mutating func advance(line: ArraySlice<UInt8>) -> StartTLSAction {
        let message = IRCMessage(line)
        guard message.isPlausible else { return .refused("this is not IRC", line) }
        switch message.command {
        case "PING": return .send(Array("PONG ".utf8) + message.rest + Array("\r\n".utf8))
        case "ERROR":
            return .refused("it ends the connection", line, .service(isTemporary: RefusalText.isTemporary(line)))
        // ERR_YOUREBANNEDCREEP.
        case "465": return .refused("it refuses us", line, .service(isTemporary: RefusalText.isTemporary(line)))
        case _: break
        }
        switch state {
        case .capabilities: return capabilities(message, line)
        case .starting:
            switch message.command {
            case "670": return .ready
            // ERR_STARTTLS; ERR_UNKNOWNCOMMAND, ERR_NOTREGISTERED.
            case "691", "421", "451":
                return .refused("it refuses STARTTLS", line, .command(isTemporary: RefusalText.isTemporary(line)))
            case _: return .wait
            }
        }
    }

    /// `CAP * LS * :…` if more lines follow, `CAP * LS :…` for the last one.
    private mutating func capabilities(_ message: IRCMessage, _ line: ArraySlice<UInt8>) -> StartTLSAction {
        switch message.command {
        case "421", "451":
            // The server does not support CAP, but STARTTLS is older than CAP.
            return start()
        case "CAP":
            let words = message.rest.capitalWords
            guard words.dropFirst().first == "LS" else { return .wait }
            let names = words.dropFirst(2).map { $0.first == ":" ? String($0.dropFirst()) : $0 }
            if names.contains("TLS") { isOffered = true }
            if names.first == "*" { return .wait }
            return isOffered ? start() : .refused("it does not offer tls", line, .notOffered)
        case _: return .wait
        }
    }

    private mutating func start() -> StartTLSAction {
        state = .starting
        return .send("STARTTLS\r\n")
    }
}

/// An IRC message (RFC 2812, 2.3.1, and IRCv3's tags): its command and parameters.
private struct IRCMessage {
    let command: String
    let rest: ArraySlice<UInt8>
    private let hasSource: Bool

    /// A number always follows a source, which no other protocol's greeting has. A command is a word.
    var isPlausible: Bool { hasSource || command.utf8.allSatisfy { (0x41...0x5A).contains($0) } }

    init(_ line: ArraySlice<UInt8>) {
        var line = line
        if line.first == UInt8(ascii: "@") { _ = Self.takeWord(&line) }
        hasSource = line.first == UInt8(ascii: ":")
        if hasSource { _ = Self.takeWord(&line) }
        command = Self.takeWord(&line).capitals
        // No character may end the line of our answer.
        rest = line.prefix { $0 != UInt8(ascii: "\r") && $0 != 0 }
    }

    private static func takeWord(_ line: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let word = line.prefix { $0 != UInt8(ascii: " ") }
        line = line.dropFirst(word.count).drop { $0 == UInt8(ascii: " ") }
        return word
    }
}
