/// The bytes of a streamed body that its socket has not taken yet: framed as they are sent, and bounded.
struct StreamBuffer {
    /// Whether each piece is framed as a chunk (RFC 9112, section 7.1). HTTP/1.0 knows none: the body ends with the
    /// connection.
    let isChunked: Bool
    private var bytes: [UInt8] = []
    private var start = 0
    private var limit = 0

    init(isChunked: Bool) {
        self.isChunked = isChunked
    }

    var isEmpty: Bool { start == bytes.count }
    var count: Int { bytes.count - start }

    /// How many bytes of a body fit in.
    var room: Int { max(limit - count - overhead, 0) }

    private var overhead: Int { isChunked ? Self.chunkOverhead : 0 }

    /// The length of a chunk of up to 16 MiB in hexadecimal, and two line ends.
    static let chunkOverhead = 10

    /// Takes memory for so many bytes.
    mutating func open(limit: Int) {
        self.limit = limit
        bytes.reserveCapacity(limit)
    }

    /// Gives the memory back, and what is in it up.
    mutating func close() {
        bytes = []
        start = 0
        limit = 0
    }

    /// Holds what the socket did not take of a frame.
    mutating func append(rest: Slice<UnsafeRawBufferPointer>) {
        bytes.append(contentsOf: rest)
    }

    /// Frames a piece, which has to fit in.
    mutating func append(_ piece: ArraySlice<UInt8>) {
        if bytes.count + piece.count + overhead > limit {
            bytes.removeFirst(start)
            start = 0
        }
        if isChunked { bytes.append(contentsOf: "\(String(piece.count, radix: 16))\r\n".utf8) }
        bytes.append(contentsOf: piece)
        if isChunked { bytes.append(contentsOf: "\r\n".utf8) }
    }

    /// What goes out next.
    func withUnsentBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// The socket has taken so many bytes.
    mutating func remove(_ count: Int) {
        start += count
    }

    /// Writes the frame of a piece into memory that is long enough for it.
    /// - Returns: its length.
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
