/// Judges whether a peer's first bytes begin a TLS record: a content type and the major version, RFC 8446, 5.1.
struct PeerOpening {
    /// The first two that came, or as many as there are.
    private var first: [UInt8] = []

    /// Takes what has come.
    /// - Returns: what to show of a peer that speaks something else, from its first byte; nil where the bytes are in order,
    ///   as far as they go.
    mutating func foreignBytes(in bytes: [UInt8]) -> [UInt8]? {
        guard first.count < 2 else { return nil }
        let all = first + bytes.prefix(TLSLimits.shownBytes)
        first = Array(all.prefix(2))
        for (offset, byte) in first.enumerated() where !Self.fits(byte, at: offset) {
            return Array(all.prefix(TLSLimits.shownBytes))
        }
        return nil
    }

    private static func fits(_ byte: UInt8, at offset: Int) -> Bool {
        // change_cipher_spec, alert, handshake, application_data, heartbeat.
        offset == 0 ? (20...24).contains(byte) : byte == 3
    }
}
