internal import SocketIO

/// The first twelve bytes of a message, RFC 1035 section 4.1.1.
struct MessageHeader {
    static let length = 12

    let identifier: UInt16
    let isResponse: Bool
    /// Whether the OPCODE is a standard query.
    let isQuery: Bool
    let isTruncated: Bool
    /// 0 … 15.
    let responseCode: UInt16
    let questionCount: Int
    let answerCount: Int
    let authorityCount: Int
    let additionalCount: Int

    /// - Returns: nil if the message is shorter than a header.
    init?(_ message: [UInt8]) {
        guard message.count >= Self.length else { return nil }
        func number(_ offset: Int) -> UInt16 { UInt16(message[offset]) << 8 | UInt16(message[offset + 1]) }
        identifier = number(0)
        isResponse = message[2] & 0x80 != 0
        isQuery = message[2] & 0x78 == 0
        isTruncated = message[2] & 0x02 != 0
        responseCode = UInt16(message[3] & 0x0F)
        questionCount = Int(number(4))
        answerCount = Int(number(6))
        authorityCount = Int(number(8))
        additionalCount = Int(number(10))
    }
}

/// Reads a message from the end of its header. Each step returns nil if the message is too short.
struct MessageReader {
    private static let longestName = 255
    /// A name has at most this many labels, so it needs no more compression pointers either. Each one costs time.
    private static let mostLabels = 127

    private let bytes: [UInt8]
    private var offset = MessageHeader.length
    /// The latest compressed name: most records of an answer have the same owner.
    private var lastCompressed: (target: Int, name: String)?

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func takeNumber() -> UInt16? {
        guard let start = skip(2) else { return nil }
        return integer(at: start)
    }

    /// - Returns: the offset of the skipped bytes; nil if the message is too short.
    mutating func skip(_ count: Int) -> Int? {
        guard bytes.count - offset >= count else { return nil }
        defer { offset += count }
        return offset
    }

    /// Reads big-endian. The caller has checked that the message is long enough.
    func integer<Value: FixedWidthInteger>(at offset: Int) -> Value {
        bytes[offset..<(offset + Value.bitWidth / 8)].reduce(0) { $0 << 8 | Value($1) }
    }

    mutating func takeName() -> String? {
        let target = compressionTarget(at: offset)
        if let target, target == lastCompressed?.target {
            offset += 2
            return lastCompressed?.name
        }
        guard let (name, end) = readName(at: offset) else { return nil }
        offset = end
        if let target { lastCompressed = (target, name) }
        return name
    }

    func name(at offset: Int) -> String? { readName(at: offset)?.name }

    /// The target of a compression pointer, RFC 1035 section 4.1.4; nil if there is none.
    private func compressionTarget(at offset: Int) -> Int? {
        guard offset + 1 < bytes.count, bytes[offset] >> 6 == 3 else { return nil }
        return Int(bytes[offset] & 0x3F) << 8 | Int(bytes[offset + 1])
    }

    /// The name in the form of `DomainName.normalized`, and the offset after it.
    private func readName(at start: Int) -> (name: String, end: Int)? {
        var text: [UInt8] = []
        var length = 1
        var position = start
        var end: Int?
        // A pointer must point backward. Otherwise a message could contain a loop.
        var limit = start
        var jumps = 0
        while position < bytes.count {
            let count = Int(bytes[position])
            if count == 0 { return (String(decoding: text, as: UTF8.self), end ?? position + 1) }
            if let target = compressionTarget(at: position) {
                jumps += 1
                guard target < limit, jumps <= Self.mostLabels else { return nil }
                limit = target
                end = end ?? position + 2
                position = target
                continue
            }
            length += count + 1
            guard count < 64, position + count < bytes.count, length <= Self.longestName else { return nil }
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            for byte in bytes[(position + 1)...(position + count)] { Self.append(byte, to: &text) }
            position += count + 1
        }
        return nil
    }

    /// Appends a byte in lowercase. Bytes that are not printable, and those that look like a separator, are escaped as
    /// in RFC 1035 section 5.1.
    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): text.append(byte | 0x20)
        case UInt8(ascii: "."), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
        case 0x21...0x7E: text.append(byte)
        default: text += [UInt8(ascii: "\\"), 0x30 + byte / 100, 0x30 + byte / 10 % 10, 0x30 + byte % 10]
        }
    }
}

/// A query over TCP, RFC 1035 section 4.
struct QueryMessage {
    let identifier: UInt16
    /// The message, after its length in two bytes (RFC 1035 section 4.2.2).
    let bytes: [UInt8]
    /// The question alone: name, type and class.
    var question: [UInt8] { Array(bytes[(2 + MessageHeader.length)...]) }

    /// - Returns: nil for a name that no message can hold.
    init?(name: String, type: RecordType, identifier: UInt16 = .random(in: 0 ... .max)) {
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= DomainName.largestLength, labels.allSatisfy({ 1...63 ~= $0.count }) else { return nil }
        let wantsRecursion: UInt16 = 0x0100
        let internetClass: UInt16 = 1
        var message: [UInt8] = []
        func append(_ number: UInt16) { message += [UInt8(number >> 8), UInt8(number & 0xFF)] }
        append(UInt16(MessageHeader.length + name.utf8.count + 2 + 4))
        for number in [identifier, wantsRecursion, 1, 0, 0, 0] { append(number) }
        for label in labels {
            message.append(UInt8(label.count))
            message += label
        }
        message.append(0)
        append(UInt16(type.rawValue))
        append(internetClass)
        self.identifier = identifier
        bytes = message
    }
}

/// A query in progress, shared by all lookups that wait for its answer.
struct Question {
    struct Key: Hashable {
        let name: String
        let type: RecordType
        /// The questions of two groups differ. The question holds a reference to its group, so that no other group gets
        /// the same identity.
        let group: ObjectIdentifier
    }

    let key: Key
    let group: ServerGroup
    var schedule: TrySchedule
    /// When the next server is queried.
    let timer: SlotToken
    /// Tries that c-ares has not ended.
    var pending = 0
    var lookups: Set<Int> = []
}

/// Domain names in the form for comparison: RFC 4343.
enum DomainName {
    /// RFC 1035 section 2.3.4, in the textual form without the last dot.
    static let largestLength = 253

    /// Returns the name in ASCII lowercase, without a trailing dot.
    static func normalized(_ name: some StringProtocol) -> String {
        let bytes = name.utf8.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
        let bare = bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes[...]
        return String(decoding: bare, as: UTF8.self)
    }

    /// RFC 6761 section 6.3: `localhost` and all below it, which never leave the machine.
    static func isLocalhost(_ normalized: String) -> Bool {
        normalized == "localhost" || normalized.hasSuffix(".localhost")
    }
}

/// Splits a line of a configuration file into fields.
enum FieldSplitter {
    /// Splits at spaces, tabs and carriage returns, and drops the rest after one of `comments`.
    static func fields(of line: ArraySlice<UInt8>, comments: [UInt8]) -> [String] {
        let text = line.prefix { !comments.contains($0) }
        return text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
