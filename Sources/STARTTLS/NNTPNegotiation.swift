/// STARTTLS of NNTP, RFC 4642.
struct NNTPNegotiation: LineNegotiation {
    private enum State {
        case greeting, capabilityReply, capabilities, starting
    }

    private var state = State.greeting
    private var offered = CapabilityList()

    mutating func advance(line: ArraySlice<UInt8>) -> StartTLSAction {
        if state == .capabilities { return capability(line) }
        guard let reply = ReplyLine(line), reply.isLast else { return .refused("this is not NNTP", line) }
        switch state {
        case .greeting:
            // 201: no posting.
            if reply.isRefusal {
                return .refused("the greeting refuses us", line, .service(isTemporary: reply.isTemporary))
            }
            guard reply.code == 200 || reply.code == 201 else { return .refused("this is not NNTP", line) }
            state = .capabilityReply
            return .send("CAPABILITIES\r\n")
        case .capabilityReply:
            // 500: the server does not support CAPABILITIES (RFC 3977, 5.2), but may support STARTTLS.
            if reply.code == 500 { return start() }
            guard reply.code == 101 else {
                return .refused("it refuses CAPABILITIES", line, .command(isTemporary: reply.isTemporary))
            }
            state = .capabilities
            return .wait
        case .capabilities:
            return capability(line)
        case .starting:
            if reply.code == 382 { return .ready }
            return .refused("it refuses STARTTLS", line, .command(isTemporary: reply.isTemporary))
        }
    }

    private mutating func capability(_ line: ArraySlice<UInt8>) -> StartTLSAction {
        if line.elementsEqual(".".utf8) {
            return offered.hasTLS ? start() : .refused("it does not offer STARTTLS", offered.lines, .notOffered)
        }
        offered.take(line, capability: line, name: "STARTTLS")
        return .wait
    }

    private mutating func start() -> StartTLSAction {
        state = .starting
        return .send("STARTTLS\r\n")
    }
}
