/// Bytes that wait for their sender, in pieces: what is appended copies nothing that came before.
struct PendingBytes {
    private var full: [[UInt8]] = []
    private var last: [UInt8] = []
    /// The bytes of all pieces.
    private(set) var count = 0

    /// Small enough that the allocator keeps a piece for the next one instead of giving its memory back to the system.
    private static let pieceSize = 32 << 10

    var isEmpty: Bool { count == 0 }

    mutating func append(_ bytes: some Collection<UInt8>) {
        if last.count + bytes.count > Self.pieceSize, !last.isEmpty {
            full.append(last)
            last = []
        }
        if last.isEmpty { last.reserveCapacity(max(Self.pieceSize, bytes.count)) }
        last.append(contentsOf: bytes)
        count += bytes.count
    }

    /// Removes the first piece; nil if there is none.
    mutating func takeFirst() -> [UInt8]? {
        guard count > 0 else { return nil }
        let piece = full.isEmpty ? last : full.removeFirst()
        if piece.count == count { last = [] }
        count -= piece.count
        return piece
    }
}
