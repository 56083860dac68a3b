/// AUTH TLS of FTP, RFC 4217.
struct FTPNegotiation: LineNegotiation {
    private enum State {
        case greeting, starting
    }

    private var state = State.greeting
    /// The code of a reply with several lines. The lines between the first and the last can begin with anything (RFC
    /// 959, 4.2).
    private var openCode: Int?
    private var refusing: RefusingReply?

    mutating func advance(line: ArraySlice<UInt8>) -> StartTLSAction {
        let reply = ReplyLine(line)
        if let openCode {
            let isLast = reply.map { $0.code == openCode && $0.isLast } ?? false
            if refusing != nil { return refuse(line, isLast: isLast) }
            guard isLast else { return .wait }
        }
        guard let reply else { return .refused("this is not FTP", line) }
        openCode = nil
        switch state {
        case .greeting:
            // 120 announces a later 220.
            if reply.isRefusal {
                openCode = reply.code
                return refuse(line, isLast: reply.isLast)
            }
            guard reply.code == 220 || reply.code == 120 else { return .refused("this is not FTP", line) }
        case .starting:
            guard reply.code == 234 else {
                return .refused("it refuses AUTH TLS", line, .command(isTemporary: reply.isTemporary))
            }
        }
        guard reply.isLast else {
            openCode = reply.code
            return .wait
        }
        if reply.code == 120 { return .wait }
        if state == .starting { return .ready }
        state = .starting
        return .send("AUTH TLS\r\n")
    }

    private mutating func refuse(_ line: ArraySlice<UInt8>, isLast: Bool) -> StartTLSAction {
        var refusal = refusing ?? RefusingReply()
        refusal.take(line)
        refusing = refusal
        return isLast ? refusal.action : .wait
    }

    /// Some servers close the stream in the middle of a refusal with several lines.
    mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction? { refusal(in: rest) ?? refusing?.action }
}
