/// The one proposal of the question.
enum IKEProposal {
    /// Each with its header, except the two bytes that say whether another one follows.
    private static let transforms: [[UInt8]] = [
        [0, 12, 1, 0, 0, 12, 0x80, 14, 1, 0],  // AES-CBC, 256 bits
        [0, 8, 2, 0, 0, 5],  // PRF HMAC-SHA-256
        [0, 8, 3, 0, 0, 12],  // HMAC-SHA-256-128
        [0, 8, 4, 0, 0, 14],  // 2048-bit MODP
    ]

    /// The payload with the proposal. The key exchange follows it.
    static var payload: [UInt8] {
        var list: [UInt8] = []
        for (index, transform) in transforms.enumerated() {
            let isLast = index == transforms.count - 1
            list += [isLast ? 0 : 3, 0] + transform
        }
        let proposal: [UInt8] = [0, 0, 0, UInt8(list.count + 8), 1, 1, 0, UInt8(transforms.count)] + list
        return [34, 0, 0, UInt8(proposal.count + 4)] + proposal
    }

    /// Whether a response accepts the proposal: it repeats each of its transforms, in any order.
    static func isChoice(_ body: ArraySlice<UInt8>) -> Bool {
        do throws(AnswerFlaw) {
            var reader = ByteReader(body)
            let header: [UInt8] = [0, 0, UInt8(body.count >> 8 & 0xFF), UInt8(body.count & 0xFF), 1, 1, 0]
            guard try reader.bytes(header.count).elementsEqual(header), try reader.byte() == transforms.count else {
                return false
            }
            var missing = Set(transforms)
            while !reader.isAtEnd {
                try reader.skip(2)
                var transform = reader
                let length = Int(try reader.uint16())
                try reader.skip(length - 4)
                guard missing.remove(Array(try transform.bytes(length - 2))) != nil else { return false }
            }
            return missing.isEmpty
        } catch {
            return false
        }
    }
}
