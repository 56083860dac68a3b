/// The bounded buffer of a streamed body: framed bytes that the socket has not taken yet.
struct StreamBuffer {
    /// Whether each piece is framed as a chunk (RFC 9112, section 7.1). HTTP/1.0 has no chunks: the connection's end is the
    /// body's end.
    let isChunked: Bool
    private var bytes: [UInt8] = []
    private var start = 0
    private var limit = 0

    init(isChunked: Bool) {
        self.isChunked = isChunked
    }

    var isEmpty: Bool { start == bytes.count }
    var count: Int { bytes.count - start }

    /// How many bytes of a body fit, without their framing.
    var room: Int { max(limit - count - overhead, 0) }

    private var overhead: Int { isChunked ? Self.chunkOverhead : 0 }

    /// Six hexadecimal digits, enough for 16 MiB, and two line ends.
    static let chunkOverhead = 10

    /// Allocates memory.
    /// - Parameter limit: how many bytes fit, framing included.
    mutating func open(limit: Int) {
        self.limit = limit
        bytes.reserveCapacity(limit)
    }

    /// Discards the contents and frees the memory.
    mutating func close() {
        bytes = []
        start = 0
        limit = 0
    }

    /// Appends the part of a frame that the socket did not take.
    mutating func append(rest: Slice<UnsafeRawBufferPointer>) {
        bytes.append(contentsOf: rest)
    }

    /// Frames and appends a piece of at most `room` bytes.
    mutating func append(_ piece: ArraySlice<UInt8>) {
        if bytes.count + piece.count + overhead > limit {
            bytes.removeFirst(start)
            start = 0
        }
        if isChunked { bytes.append(contentsOf: "\(String(piece.count, radix: 16))\r\n".utf8) }
        bytes.append(contentsOf: piece)
        if isChunked { bytes.append(contentsOf: "\r\n".utf8) }
    }

    /// Calls `body` with the bytes to send next.
    func withUnsentBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Removes bytes that the socket has taken.
    mutating func remove(_ count: Int) {
        start += count
    }

    /// Frames a piece in other memory, which must have room for it and `chunkOverhead`.
    /// - Returns: the length of the frame.
    func frame(_ piece: ArraySlice<UInt8>, into memory: UnsafeMutableRawBufferPointer) -> Int {
        var length = 0
        func put(_ byte: UInt8) {
            memory[length] = byte
            length += 1
        }
        func putLineEnd() {
            put(UInt8(ascii: "\r"))
            put(UInt8(ascii: "\n"))
        }
        if isChunked {
            let digits = max(1, (Int.bitWidth - piece.count.leadingZeroBitCount + 3) / 4)
            for place in (0..<digits).reversed() {
                let digit = UInt8(truncatingIfNeeded: piece.count >> (4 * place)) & 15
                put(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
            putLineEnd()
        }
        piece.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: memory[length...]).copyMemory(from: $0) }
        length += piece.count
        if isChunked { putLineEnd() }
        return length
    }
}
