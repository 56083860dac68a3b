public import CheckModel

/// A question that every server of a UDP protocol answers, and how its answer is recognized.
///
/// No question needs an account or a key, changes anything, or makes a server send much more than it got.
public enum UDPPreset: String, CaseIterable, Sendable {
    case dns, ntp, stun, snmp, ike, quic

    /// The dialog of one check: the question has random numbers in it, and only an answer that repeats them counts.
    public var steps: [DialogStep] {
        var generator = SystemRandomNumberGenerator()
        return steps(using: &generator)
    }

    func steps(using generator: inout some RandomNumberGenerator) -> [DialogStep] {
        switch self {
        case .dns: Self.dns(Self.random(2, &generator))
        case .ntp: Self.ntp(Self.random(8, &generator))
        case .stun: Self.stun(Self.random(12, &generator))
        case .snmp: Self.snmp(Self.random(4, &generator))
        case .ike: Self.ike(spi: Self.random(8, &generator), key: Self.random(255, &generator))
        case .quic: Self.quic(destination: Self.random(8, &generator), source: Self.random(8, &generator))
        }
    }

    /// RFC 1035: the name servers of the root, which any server can answer or refuse.
    private static func dns(_ identifier: [UInt8]) -> [DialogStep] {
        let question: [UInt8] = [0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]
        return [.sendBytes(identifier + question), .expect(pattern: "\\A\(pattern(identifier))[\\x80-\\xff]")]
    }

    /// RFC 5905: version 4, mode client. The answer has mode server, and our transmit time as its origin.
    private static func ntp(_ time: [UInt8]) -> [DialogStep] {
        let modes = stride(from: UInt8(4), through: 0xFC, by: 8).map { pattern([$0]) }.joined()
        return [
            .sendBytes([0x23] + zeros(39) + time), .expect(pattern: "(?s)\\A[\(modes)].{23}\(pattern(time))"),
        ]
    }

    /// RFC 8489: a Binding request; success or error.
    private static func stun(_ transaction: [UInt8]) -> [DialogStep] {
        let cookie: [UInt8] = [0x21, 0x12, 0xA4, 0x42]
        return [
            .sendBytes([0, 1, 0, 0] + cookie + transaction),
            .expect(pattern: "(?s)\\A\\x01[\\x01\\x11]..\(pattern(cookie + transaction))"),
        ]
    }

    /// RFC 3414, section 4: discovery of the engine, which SNMPv3 agents answer without a user.
    private static func snmp(_ random: [UInt8]) -> [DialogStep] {
        // Positive, and as long as it can be: BER leaves leading zeros out.
        let identifier = [random[0] & 0x3F | 0x40] + random.dropFirst()
        let header: [UInt8] = [0x30, 0x11, 0x02, 4] + identifier + [0x02, 3, 0, 0xFF, 0xE3, 0x04, 1, 4, 0x02, 1, 3]
        let security: [UInt8] = [0x04, 0x10, 0x30, 0x0E, 0x04, 0, 0x02, 1, 0, 0x02, 1, 0, 0x04, 0, 0x04, 0, 0x04, 0]
        let request: [UInt8] = [
            0x30, 0x11, 0x04, 0, 0x04, 0, 0xA0, 0x0B, 0x02, 1, 0, 0x02, 1, 0, 0x02, 1, 0, 0x30, 0,
        ]
        let message: [UInt8] = [0x30, 0x3B, 0x02, 1, 3] + header + security + request
        return [
            .sendBytes(message),
            .expect(pattern: "(?s)\\A\\x30.{1,3}\\x02\\x01\\x03\\x30.{1,3}\\x02\\x04\(pattern(identifier))"),
        ]
    }

    /// RFC 7296: IKE_SA_INIT with one usual proposal. A refusal is an answer too.
    private static func ike(spi: [UInt8], key: [UInt8]) -> [DialogStep] {
        let transforms: [UInt8] =
            [3, 0, 0, 12, 1, 0, 0, 12, 0x80, 14, 1, 0]  // AES-CBC, 256 bits
            + [3, 0, 0, 8, 2, 0, 0, 5]  // PRF HMAC-SHA-256
            + [3, 0, 0, 8, 3, 0, 0, 12]  // HMAC-SHA-256-128
            + [0, 0, 0, 8, 4, 0, 0, 14]  // 2048-bit MODP
        let proposal: [UInt8] = [0, 0, 0, UInt8(transforms.count + 8), 1, 1, 0, 4] + transforms
        let association: [UInt8] = [34, 0, 0, UInt8(proposal.count + 4)] + proposal
        let exchange: [UInt8] = [40, 0, 1, 8, 0, 14, 0, 0, 1] + key
        let nonce: [UInt8] = [0, 0, 0, 36] + key.prefix(32)
        let payloads = association + exchange + nonce
        let length = 28 + payloads.count
        let header = spi + zeros(8) + [33, 0x20, 34, 0x08, 0, 0, 0, 0, 0, 0, UInt8(length >> 8), UInt8(length & 0xFF)]
        return [.sendBytes(header + payloads), .expect(pattern: "(?s)\\A\(pattern(spi)).{9}\\x20\\x22[\\x20-\\x3f]")]
    }

    /// RFC 9000, section 6: a packet of 1200 bytes with a reserved version. The answer is Version Negotiation.
    private static func quic(destination: [UInt8], source: [UInt8]) -> [DialogStep] {
        let header: [UInt8] = [0xC0, 0x1A, 0x2A, 0x3A, 0x4A, 8] + destination + [8] + source
        return [
            .sendBytes(header + zeros(1200 - header.count)),
            .expect(pattern: "(?s)\\A[\\x80-\\xff]\\x00{4}\\x08\(pattern(source))\\x08\(pattern(destination))"),
        ]
    }

    private static func random(_ count: Int, _ generator: inout some RandomNumberGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    /// A pattern that matches just these bytes.
    private static func pattern(_ bytes: [UInt8]) -> String {
        bytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
