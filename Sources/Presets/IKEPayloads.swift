internal import CheckModel

/// What the payloads of a response say.
struct IKEPayloads {
    private var chosen = false
    private var notifications: [IKEAnswer.Notification] = []
    private var vendorIDs: [[UInt8]] = []

    private static let invalidKeyExchange: UInt16 = 17
    private static let mostNotifications = 32
    private static let mostVendorIDs = 16
    private static let longestVendorID = 64

    mutating func read(_ reader: inout ByteReader, first: UInt8) throws(AnswerFlaw) {
        var type = first
        while type != 0 {
            let next = try reader.byte()
            try reader.skip(1)
            let length = Int(try reader.uint16())
            guard length >= 4 else { throw AnswerFlaw("has a malformed payload") }
            try add(type, try reader.bytes(length - 4))
            type = IKEPayload.encrypted.contains(type) ? 0 : next
        }
        guard reader.isAtEnd else { throw .hasRest }
    }

    private mutating func add(_ type: UInt8, _ body: ArraySlice<UInt8>) throws(AnswerFlaw) {
        switch type {
        case IKEPayload.association:
            guard !chosen, IKEProposal.isChoice(body) else {
                throw AnswerFlaw("chooses something else than the proposal")
            }
            chosen = true
        case IKEPayload.notify:
            let notification = try Self.notification(body)
            if notifications.count < Self.mostNotifications { notifications.append(notification) }
        case IKEPayload.vendorID where vendorIDs.count < Self.mostVendorIDs:
            vendorIDs.append(Array(body.prefix(Self.longestVendorID)))
        case _: break
        }
    }

    private static func notification(_ body: ArraySlice<UInt8>) throws(AnswerFlaw) -> IKEAnswer.Notification {
        var reader = ByteReader(body)
        try reader.skip(1)
        let spiLength = Int(try reader.byte())
        let type = try reader.uint16()
        try reader.skip(spiLength)
        guard type == invalidKeyExchange else { return IKEAnswer.Notification(type: type) }
        return IKEAnswer.Notification(type: type, group: try reader.uint16())
    }

    func answer() throws(AnswerFlaw) -> IKEAnswer {
        guard chosen || !notifications.isEmpty else { throw AnswerFlaw("neither chooses nor refuses the proposal") }
        return IKEAnswer(acceptsProposal: chosen, notifications: notifications, vendorIDs: vendorIDs)
    }
}

/// The types of payloads.
enum IKEPayload {
    static let association: UInt8 = 33
    static let nonce: UInt8 = 40
    static let notify: UInt8 = 41
    static let vendorID: UInt8 = 43
    /// Payloads after one of these are inside it.
    static let encrypted: Set<UInt8> = [46, 53]
}
