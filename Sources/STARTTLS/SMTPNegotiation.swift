/// STARTTLS of SMTP, RFC 3207, and of LMTP, RFC 2033. They differ in the command of the greeting.
struct SMTPNegotiation: LineNegotiation {
    private enum State {
        case greeting, features, starting
    }

    private let hello: String
    private var state = State.greeting
    /// The code of the incomplete reply.
    private var code: Int?
    private var offered = CapabilityList()
    private var refusing: RefusingReply?

    /// - Parameter client: our name or address literal, RFC 5321, 4.1.3.
    init(isLMTP: Bool, client: String) {
        hello = (isLMTP ? "LHLO " : "EHLO ") + client + "\r\n"
    }

    mutating func advance(line: ArraySlice<UInt8>) -> StartTLSAction {
        guard let reply = ReplyLine(line), code == nil || code == reply.code else {
            return .refused("this is not SMTP", line)
        }
        let isFirst = code == nil
        code = reply.isLast ? nil : reply.code
        switch state {
        case .greeting:
            if reply.isRefusal { return refuse(line, reply) }
            guard reply.code == 220 else { return .refused("this is not SMTP", line) }
            guard reply.isLast else { return .wait }
            state = .features
            return .send(hello)
        case .features:
            guard reply.code == 250 else {
                return .refused("it refuses \(hello.prefix(4))", line, .command(isTemporary: reply.isTemporary))
            }
            // The first line contains the server's name.
            offered.take(line, capability: isFirst ? nil : reply.text, name: "STARTTLS")
            guard reply.isLast else { return .wait }
            guard offered.hasTLS else { return .refused("it does not offer STARTTLS", offered.lines, .notOffered) }
            state = .starting
            return .send("STARTTLS\r\n")
        case .starting:
            guard reply.code == 220 else {
                return .refused("it refuses STARTTLS", line, .command(isTemporary: reply.isTemporary))
            }
            return reply.isLast ? .ready : .wait
        }
    }

    private mutating func refuse(_ line: ArraySlice<UInt8>, _ reply: ReplyLine) -> StartTLSAction {
        var refusal = refusing ?? RefusingReply()
        refusal.take(line)
        refusing = refusal
        return reply.isLast ? refusal.action : .wait
    }

    /// Some servers close the stream in the middle of a refusal with several lines.
    mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction? { refusal(in: rest) ?? refusing?.action }
}
