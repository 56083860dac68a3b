internal import CAres

/// The names of the CNAME records in a message, read with `ares_expand_name`.
///
/// c-ares 1.18's `hostent` has the owners of the records but not the name that the chain ends at, so they are read here.
struct AnswerNames {
    private static let headerLength = 12
    private static let fixedLengthOfQuestion = 4
    private static let fixedLengthOfRecord = 10
    private static let cname: UInt16 = 5
    /// Addresses by their type: A and AAAA.
    private static let addressLengths: [UInt16: Int] = [1: 4, 28: 16]

    private let message: UnsafeBufferPointer<UInt8>
    private var offset = headerLength

    /// In the order of the message, each owner before what it stands for; nil where a record of the answer cannot be read.
    static func read(from message: UnsafeBufferPointer<UInt8>) -> [String]? {
        guard message.count > headerLength else { return nil }
        var reader = AnswerNames(message: message)
        return reader.names()
    }

    private init(message: UnsafeBufferPointer<UInt8>) {
        self.message = message
    }

    private mutating func names() -> [String]? {
        guard takeName() != nil else { return nil }
        offset += Self.fixedLengthOfQuestion
        var names: [String] = []
        for _ in 0..<number(at: 6) {
            guard let owner = takeName(), offset + Self.fixedLengthOfRecord <= message.count else { return nil }
            let type = number(at: offset)
            let length = Int(number(at: offset + 8))
            let end = offset + Self.fixedLengthOfRecord + length
            // c-ares passes over an address of another length as if it were not there.
            guard end <= message.count, length == Self.addressLengths[type, default: length] else { return nil }
            offset += Self.fixedLengthOfRecord
            if type == Self.cname {
                guard let target = takeName() else { return nil }
                names += [owner, target]
            }
            offset = end
        }
        return names
    }

    /// Big-endian; the caller has seen that the message is that long.
    private func number(at offset: Int) -> UInt16 {
        UInt16(message[offset]) << 8 | UInt16(message[offset + 1])
    }

    private mutating func takeName() -> String? {
        guard let start = message.baseAddress, offset < message.count else { return nil }
        var name: UnsafeMutablePointer<CChar>?
        var length = 0
        let status = ares_expand_name(start + offset, start, Int32(message.count), &name, &length)
        guard status == connectd_ares_success, let name else { return nil }
        defer { ares_free_string(name) }
        offset += length
        return String(cString: name)
    }
}
