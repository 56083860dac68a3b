/// Judges whether a peer's first bytes begin a TLS record: a content type and the major version, RFC 8446, 5.1.
struct PeerOpening {
    /// 0, or 1 where the first byte came alone and was in order.
    let alreadyReceived: Int

    /// What to show of a peer that speaks something else; nil where the bytes are in order, as far as they go.
    func foreignBytes(in bytes: [UInt8]) -> [UInt8]? {
        for (offset, byte) in bytes.prefix(max(0, 2 - alreadyReceived)).enumerated() {
            if !Self.fits(byte, at: alreadyReceived + offset) { return Array(bytes.prefix(TLSLimits.shownBytes)) }
        }
        return nil
    }

    private static func fits(_ byte: UInt8, at offset: Int) -> Bool {
        // change_cipher_spec, alert, handshake, application_data, heartbeat.
        offset == 0 ? (20...24).contains(byte) : byte == 3
    }
}
