/// A question as it is sent over TCP, RFC 1035 section 4.
struct QueryMessage {
    let identifier: UInt16
    /// With the two bytes of length in front, RFC 1035 section 4.2.2.
    let bytes: [UInt8]

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
