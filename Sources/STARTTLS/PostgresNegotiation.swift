/// SSLRequest of PostgreSQL's protocol 3 ("Message Formats" in its manual). The answer is one byte.
struct PostgresNegotiation: StartTLSNegotiation {
    /// The length, then 1234 and 5679 instead of a version.
    let opening: [UInt8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F]

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        guard let first = received.first else { return .wait }
        switch first {
        case UInt8(ascii: "S"):
            received = received.dropFirst()
            return .ready
        case UInt8(ascii: "N"): return .refused("it does not offer TLS", received.prefix(1), .notOffered)
        case UInt8(ascii: "E"): return error(received.dropFirst())
        case _: return .refused("this is not PostgreSQL", received)
        }
    }

    /// ErrorResponse: its length, then fields with a letter and a text each. Servers before 7.4 send only the text.
    private func error(_ bytes: ArraySlice<UInt8>) -> StartTLSAction {
        guard bytes.count >= 4 else { return .wait }
        let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length <= StartTLSLimits.lineBytes else {
            let isTemporary = RefusalText.isTemporary(bytes)
            return .refused("it answers with an error", bytes, .command(isTemporary: isTemporary))
        }
        guard bytes.count >= length else { return .wait }
        return refusal(by: bytes.prefix(max(length, 4)).dropFirst(4), orAll: bytes)
    }

    /// - Parameters:
    ///   - fields: of a letter, a text and a zero each.
    ///   - bytes: the whole response, the message if there is no such field.
    private func refusal(by fields: ArraySlice<UInt8>, orAll bytes: ArraySlice<UInt8>) -> StartTLSAction {
        let fields = fields.split(separator: 0)
        let codeField = fields.first { $0.first == UInt8(ascii: "C") }
        let code = codeField.map { String(decoding: $0.dropFirst(), as: UTF8.self) }
        let message = fields.first { $0.first == UInt8(ascii: "M") }?.dropFirst() ?? bytes
        // The code comes from the peer too: five letters or digits, or none.
        guard let code, code.utf8.count == 5, code.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) else {
            return .refused(
                "it answers with an error", message, .command(isTemporary: RefusalText.isTemporary(message)))
        }
        return .refused("it answers with the error \(code)", message, Self.refusal(code, message))
    }

    /// Decides by the SQLSTATE ("PostgreSQL Error Codes" in its manual).
    private static func refusal(_ code: String, _ message: ArraySlice<UInt8>) -> StartTLSRefusal {
        // Class 53: no resources, such as connections. 57P01 to 57P03: the server shuts down or starts.
        if code.hasPrefix("53") || ["57P01", "57P02", "57P03"].contains(code) { return .service(isTemporary: true) }
        // Class 28: pg_hba.conf rejects the client. 08004: the connection is rejected. 3D000: no such database.
        if code.hasPrefix("28") || code == "08004" || code == "3D000" { return .service(isTemporary: false) }
        return RefusalText.isTemporary(message) ? .service(isTemporary: true) : .lasting
    }

    /// Servers before 7.4 send only the text, and connection poolers may end in the middle.
    mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction? {
        guard rest.first == UInt8(ascii: "E"), rest.count > 1 else { return nil }
        let bytes = rest.dropFirst()
        // No text begins with a zero: it is the first byte of a length.
        if bytes.first == 0 { return refusal(by: bytes.dropFirst(4), orAll: bytes.dropFirst(4)) }
        let text = bytes.prefix { $0 != 0 }
        return .refused(
            "it answers with an error", text, .command(isTemporary: RefusalText.isTemporary(text)))
    }
}
