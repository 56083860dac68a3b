/// The StartTLS operation of LDAP, RFC 4511, 4.14.
struct LDAPNegotiation: StartTLSNegotiation {
    /// ExtendedRequest 1 with the name 1.3.6.1.4.1.1466.20037, in BER.
    let opening: [UInt8] =
        [0x30, 0x1D, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16] + Array("1.3.6.1.4.1.1466.20037".utf8)

    private static let sequence: UInt8 = 0x30
    private static let integer: UInt8 = 0x02
    private static let enumerated: UInt8 = 0x0A
    private static let octets: UInt8 = 0x04
    private static let extendedResponse: UInt8 = 0x78

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        var reader = BERReader(received)
        switch reader.next(Self.sequence) {
        case .incomplete:
            return received.count > StartTLSLimits.lineBytes ? .refused("the message is too long", received) : .wait
        case .malformed: return .refused("this is not LDAP", received)
        case .value(let message):
            guard let action = Self.response(message) else { return .refused("this is not LDAP", received) }
            received = reader.bytes
            return action
        }
    }

    /// An LDAPMessage with an ExtendedResponse: the message ID, the result code, a name and a text.
    private static func response(_ message: ArraySlice<UInt8>) -> StartTLSAction? {
        var reader = BERReader(message)
        guard
            let number = reader.value(integer), let body = reader.value(extendedResponse)
        else { return nil }
        var fields = BERReader(body)
        guard
            let code = fields.value(enumerated), code.count == 1, let result = code.first,
            fields.value(octets) != nil, let text = fields.value(octets)
        else { return nil }
        // Message 0 is a notice of disconnection (4.4.1). Our request is message 1.
        if number.elementsEqual([1]), result == 0 { return .ready }
        let name = names[result].map { " (\($0))" } ?? ""
        let refusal = refusal(result, text, isNotice: number.elementsEqual([0]))
        return .refused("LDAP result \(result)\(name)", text, refusal)
    }

    /// A notice of disconnection, busy (51) and unavailable (52) concern the service, not TLS.
    private static func refusal(_ result: UInt8, _ text: ArraySlice<UInt8>, isNotice: Bool) -> StartTLSRefusal {
        if result == 51 || result == 52 { return .service(isTemporary: true) }
        let isTemporary = RefusalText.isTemporary(text)
        return isNotice ? .service(isTemporary: isTemporary) : .command(isTemporary: isTemporary)
    }

    /// RFC 4511, 4.1.9: the result codes that can occur here.
    private static let names: [UInt8: String] = [
        1: "operationsError", 2: "protocolError", 3: "timeLimitExceeded", 8: "strongerAuthRequired", 10: "referral",
        11: "adminLimitExceeded", 13: "confidentialityRequired", 50: "insufficientAccessRights", 51: "busy",
        52: "unavailable", 53: "unwillingToPerform", 80: "other",
    ]
}

/// Reads BER elements with definite lengths, as RFC 4511, 5.1 requires.
private struct BERReader {
    enum Next {
        case value(ArraySlice<UInt8>)
        case incomplete
        case malformed
    }

    private(set) var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    /// Takes the next element if it is complete and has this tag.
    mutating func next(_ tag: UInt8) -> Next {
        guard let first = bytes.first else { return .incomplete }
        guard first == tag else { return .malformed }
        guard let short = bytes.dropFirst().first else { return .incomplete }
        var content = bytes.dropFirst(2)
        var length = Int(short)
        if short >= 0x80 {
            let count = Int(short & 0x7F)
            guard (1...4).contains(count) else { return .malformed }
            guard content.count >= count else { return .incomplete }
            length = content.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            content = content.dropFirst(count)
        }
        guard length <= StartTLSLimits.lineBytes else { return .malformed }
        guard content.count >= length else { return .incomplete }
        bytes = content.dropFirst(length)
        return .value(content.prefix(length))
    }

    mutating func value(_ tag: UInt8) -> ArraySlice<UInt8>? {
        guard case .value(let value) = next(tag) else { return nil }
        return value
    }
}
