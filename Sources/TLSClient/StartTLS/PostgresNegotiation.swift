/// SSLRequest of PostgreSQL's protocol 3 ("Message Formats" in its manual): one byte is the answer.
struct PostgresNegotiation: StartTLSNegotiation {
    /// The length, then 1234 and 5679 in place of a version.
    let opening: [UInt8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F]

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        guard let first = received.first else { return .wait }
        switch first {
        case UInt8(ascii: "S"):
            received = received.dropFirst()
            return .ready
        case UInt8(ascii: "N"): return .refused("it does not offer TLS", received.prefix(1))
        case UInt8(ascii: "E"): return error(received.dropFirst())
        case _: return .refused("this is not PostgreSQL", received)
        }
    }

    /// ErrorResponse: its length, then fields of a letter and a text each. Servers before 7.4 send the text alone.
    private func error(_ bytes: ArraySlice<UInt8>) -> StartTLSAction {
        guard bytes.count >= 4 else { return .wait }
        let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length <= StartTLSLimits.lineBytes else { return .refused("it answers with an error", bytes) }
        guard bytes.count >= length else { return .wait }
        let fields = bytes.prefix(max(length, 4)).dropFirst(4).split(separator: 0)
        let message = fields.first { $0.first == UInt8(ascii: "M") }
        return .refused("it answers with an error", message?.dropFirst() ?? bytes)
    }
}
