/// AUTH TLS of FTP, RFC 4217.
struct FTPNegotiation: LineNegotiation {
    private enum State {
        case greeting, starting
    }

    private var state = State.greeting
    /// Of a reply of many lines: those between its first and its last can begin with anything (RFC 959, 4.2).
    private var openCode: Int?

    mutating func advance(line: ArraySlice<UInt8>) -> StartTLSAction {
        let reply = ReplyLine(line)
        if let openCode {
            guard let reply, reply.code == openCode, reply.isLast else { return .wait }
        }
        guard let reply else { return .refused("this is not FTP", line) }
        openCode = nil
        switch state {
        case .greeting:
            // 120 says that 220 will come.
            guard reply.code == 220 || reply.code == 120 else {
                return .refused(reply.isRefusal ? "the greeting refuses us" : "this is not FTP", line)
            }
        case .starting:
            guard reply.code == 234 else { return .refused("it refuses AUTH TLS", line) }
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
}
