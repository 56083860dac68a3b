/// STARTTLS of IMAP, RFC 9051, 6.2.1 (and RFC 3501).
struct IMAPNegotiation: LineNegotiation {
    private enum State {
        case greeting, capabilities, starting
    }

    private var state = State.greeting
    private var isOffered = false
    /// The line with the server's capabilities.
    private var capabilityLine: ArraySlice<UInt8>?

    mutating func advance(line: ArraySlice<UInt8>) -> StartTLSAction {
        let words = line.capitalWords
        let (tag, word) = (words.first ?? "", words.dropFirst().first ?? "")
        if tag == "*", word == "BYE" {
            return .refused("it says goodbye", line, .service(isTemporary: RefusalText.isTemporary(line)))
        }
        switch state {
        case .greeting:
            guard tag == "*" else { return .refused("this is not IMAP", line) }
            if word == "PREAUTH" { return .refused("it takes no STARTTLS, since we are authenticated", line) }
            guard word == "OK" else { return .refused("this is not IMAP", line) }
            state = .capabilities
            return .send("a1 CAPABILITY\r\n")
        case .capabilities:
            return capabilities(line, words)
        case .starting:
            if tag == "*" { return .wait }
            guard tag == "A2" else { return .refused("this is not IMAP", line) }
            if word == "OK" { return .ready }
            return .refused("it refuses STARTTLS", line, .command(isTemporary: RefusalText.isTemporary(line)))
        }
    }

    private mutating func capabilities(_ line: ArraySlice<UInt8>, _ words: [String]) -> StartTLSAction {
        if words.first == "*" {
            if words.dropFirst().first == "CAPABILITY" {
                capabilityLine = line
                isOffered = words.contains("STARTTLS")
            }
            return .wait
        }
        guard words.first == "A1" else { return .refused("this is not IMAP", line) }
        guard words.dropFirst().first == "OK" else {
            return .refused("it refuses CAPABILITY", line, .command(isTemporary: RefusalText.isTemporary(line)))
        }
        guard isOffered else { return .refused("it does not offer STARTTLS", capabilityLine ?? line, .notOffered) }
        state = .starting
        return .send("a2 STARTTLS\r\n")
    }
}
