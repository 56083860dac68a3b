import NetworkTypes

/// A query that a test's name server received: RFC 1035 section 4.
struct DNSQuery: Sendable {
    let bytes: [UInt8]
    let isTCP: Bool
    /// In lower case, without the final dot.
    let name: String
    let type: UInt16

    init?(_ bytes: [UInt8], isTCP: Bool) {
        self.bytes = bytes
        self.isTCP = isTCP
        var labels: [String] = []
        var offset = 12
        while offset < bytes.count, bytes[offset] != 0 {
            let end = offset + 1 + Int(bytes[offset])
            guard end < bytes.count else { return nil }
            labels.append(String(decoding: bytes[(offset + 1)..<end], as: UTF8.self).lowercased())
            offset = end
        }
        guard offset + 5 <= bytes.count else { return nil }
        name = labels.joined(separator: ".")
        type = UInt16(bytes[offset + 1]) << 8 | UInt16(bytes[offset + 2])
        question = Array(bytes[12..<(offset + 5)])
    }

    let question: [UInt8]
    var isA: Bool { type == 1 }
    var isAAAA: Bool { type == 28 }

    /// A response to this query: the header, the question and the given records.
    func reply(
        code: UInt8 = 0, isTruncated: Bool = false, flipsIdentifier: Bool = false, opcode: UInt8 = 0,
        _ records: [DNSRecord] = [], additional: [DNSRecord] = []
    ) -> [UInt8] {
        var header = Array(bytes[0..<12])
        if flipsIdentifier { header[1] ^= 0xFF }
        header[2] = 0x84 | (isTruncated ? 0x02 : 0) | (bytes[2] & 0x01) | opcode << 3
        header[3] = 0x80 | code
        let count = [UInt8(records.count >> 8), UInt8(records.count & 0xFF)]
        header.replaceSubrange(4..<12, with: [0, 1] + count + [0, 0, 0, UInt8(additional.count)])
        return header + question + (records + additional).flatMap(\.bytes)
    }
}

/// A resource record for the answer section.
struct DNSRecord: Sendable {
    let bytes: [UInt8]

    private init(owner: String, type: UInt8, data: [UInt8], length: Int? = nil, timeToLive: [UInt8] = [0, 0, 0, 0]) {
        let count = length ?? data.count
        bytes =
            Self.name(owner) + [0, type, 0, 1] + timeToLive + [UInt8(count >> 8), UInt8(count & 0xFF)] + data
    }

    /// An OPT record with the upper bits of a response code (RFC 6891).
    static func opt(upperCode: UInt8) -> DNSRecord {
        DNSRecord(owner: "", type: 41, data: [], timeToLive: [upperCode, 0, 0, 0])
    }

    /// A record whose owner is a pointer to the question's name: 16 bytes, as real servers send it.
    static func compressed(a bits: UInt32) -> DNSRecord {
        DNSRecord(bytes: [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4] + withUnsafeBytes(of: bits.bigEndian) { Array($0) })
    }

    static func compressed(aaaa bits: UInt128) -> DNSRecord {
        DNSRecord(
            bytes: [0xC0, 12, 0, 28, 0, 1, 0, 0, 0, 0, 0, 16] + withUnsafeBytes(of: bits.bigEndian) { Array($0) })
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    static func a(_ owner: String, _ text: String) -> DNSRecord {
        guard let address = IPv4Address(parsing: text) else { preconditionFailure("no address: \(text)") }
        return DNSRecord(owner: owner, type: 1, data: withUnsafeBytes(of: address.bits.bigEndian) { Array($0) })
    }

    static func aaaa(_ owner: String, _ text: String) -> DNSRecord {
        guard let address = IPv6Address(parsing: text) else { preconditionFailure("no address: \(text)") }
        return DNSRecord(owner: owner, type: 28, data: withUnsafeBytes(of: address.bits.bigEndian) { Array($0) })
    }

    static func cname(_ owner: String, _ target: String) -> DNSRecord {
        DNSRecord(owner: owner, type: 5, data: name(target))
    }

    /// An A record that is longer than the rest of the message.
    static func broken(_ owner: String) -> DNSRecord {
        DNSRecord(owner: owner, type: 1, data: [192, 0], length: 4)
    }

    private static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}
