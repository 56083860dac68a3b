/// STLS of POP3, RFC 2595, 4.
struct POP3Negotiation: LineNegotiation {
    private enum State {
        case greeting, capabilityReply, capabilities, starting
    }

    private var state = State.greeting
    private var offered = CapabilityList()

    mutating func advance(line: ArraySlice<UInt8>) -> StartTLSAction {
        switch state {
        case .greeting:
            if isError(line) {
                let isTemporary = RefusalText.isTemporary(line)
                return .refused("the greeting refuses us", line, .service(isTemporary: isTemporary))
            }
            guard isOK(line) else { return .refused("this is not POP3", line) }
            state = .capabilityReply
            return .send("CAPA\r\n")
        case .capabilityReply:
            if isOK(line) {
                state = .capabilities
                return .wait
            }
            guard isError(line) else { return .refused("this is not POP3", line) }
            // The server does not support CAPA (RFC 2449), but may support STLS.
            return start()
        case .capabilities:
            if line.elementsEqual(".".utf8) {
                return offered.hasTLS ? start() : .refused("it does not offer STLS", offered.lines, .notOffered)
            }
            offered.take(line, capability: line, name: "STLS")
            return .wait
        case .starting:
            if isOK(line) { return .ready }
            return .refused("it refuses STLS", line, .command(isTemporary: RefusalText.isTemporary(line)))
        }
    }

    private mutating func start() -> StartTLSAction {
        state = .starting
        return .send("STLS\r\n")
    }

    private func isOK(_ line: ArraySlice<UInt8>) -> Bool { line.capitalWords.first == "+OK" }

    private func isError(_ line: ArraySlice<UInt8>) -> Bool { line.capitalWords.first == "-ERR" }
}
