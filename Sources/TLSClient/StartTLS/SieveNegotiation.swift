/// STARTTLS of ManageSieve, RFC 5804, 2.2.
struct SieveNegotiation: StartTLSNegotiation {
    private var isStarting = false
    private var offered = CapabilityList()
    private var lines = SieveLines()

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        while true {
            switch lines.next(&received) {
            case .incomplete: return .wait
            case .tooLong(let line): return .refused("the line is too long", line)
            case .line(let line):
                let action = isStarting ? answer(line) : greeting(line)
                guard action == .wait else { return action }
            }
        }
    }

    /// Capabilities, each in a line, until a line says OK (RFC 5804, 1.7).
    private mutating func greeting(_ line: ArraySlice<UInt8>) -> StartTLSAction {
        if line.first == UInt8(ascii: "\"") || line.first == UInt8(ascii: "{") {
            offered.take(line, capability: line, name: "\"STARTTLS\"")
            return .wait
        }
        switch Self.verdict(of: line) {
        case "OK":
            guard offered.hasTLS else { return .refused("it does not offer STARTTLS", offered.lines, .notOffered) }
            isStarting = true
            return .send("STARTTLS\r\n")
        case "NO", "BYE":
            let isTemporary = RefusalWords.areTemporary(line)
            return .refused("the greeting refuses us", line, .service(isTemporary: isTemporary))
        case _: return .refused("this is not ManageSieve", line)
        }
    }

    private func answer(_ line: ArraySlice<UInt8>) -> StartTLSAction {
        if Self.verdict(of: line) == "OK" { return .ready }
        return .refused("it refuses STARTTLS", line, .command(isTemporary: RefusalWords.areTemporary(line)))
    }

    /// OK, NO or BYE, behind which a code in parentheses or a text may stand.
    private static func verdict(of line: ArraySlice<UInt8>) -> String {
        line.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "(") }.capitals
    }
}
