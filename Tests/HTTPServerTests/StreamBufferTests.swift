import Testing

@testable import HTTPServer

/// The buffer of a stream whose client reads slowly.
@Suite struct StreamBufferTests {
    private func unsent(_ buffer: StreamBuffer) -> String {
        buffer.withUnsentBytes { String(decoding: $0, as: UTF8.self) }
    }

    private func frame(_ piece: [UInt8], isChunked: Bool) -> String {
        let buffer = StreamBuffer(isChunked: isChunked)
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: piece.count + StreamBuffer.chunkOverhead, alignment: 1)
        defer { memory.deallocate() }
        let length = buffer.frame(piece[...], into: memory)
        return String(decoding: UnsafeRawBufferPointer(rebasing: memory[..<length]), as: UTF8.self)
    }

    @Test(arguments: [1, 9, 10, 15, 16, 255, 256, 4095, 4096, 32_768, 65_535])
    func bothWaysToFrameAPieceProduceTheSameBytes(count: Int) {
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: count)
        let text = String(repeating: "x", count: count)
        let expected = "\(String(count, radix: 16))\r\n\(text)\r\n"
        #expect(frame(piece, isChunked: true) == expected)
        #expect(frame(piece, isChunked: false) == text)
        var buffer = StreamBuffer(isChunked: true)
        buffer.open(limit: 100_000)
        buffer.append(piece[...])
        #expect(unsent(buffer) == expected)
    }

    @Test func aPieceThatFitsNeverExceedsTheLimit() {
        for limit in 0..<200 {
            var buffer = StreamBuffer(isChunked: true)
            buffer.open(limit: limit)
            while buffer.room > 0 { buffer.append([UInt8](repeating: 1, count: min(buffer.room, 7))[...]) }
            #expect(buffer.count <= limit)
        }
    }

    @Test func removedBytesFreeSpace() {
        var buffer = StreamBuffer(isChunked: false)
        #expect(buffer.room == 0 && buffer.isEmpty)
        buffer.open(limit: 10)
        buffer.append(Array("0123456789".utf8)[...])
        #expect(buffer.room == 0)
        buffer.remove(4)
        #expect(buffer.room == 4 && unsent(buffer) == "456789")
        buffer.append(Array("abcd".utf8)[...])
        #expect(unsent(buffer) == "456789abcd" && buffer.count == 10)
        buffer.remove(10)
        #expect(buffer.isEmpty)
        buffer.close()
        #expect(buffer.room == 0)
    }

    @Test(arguments: [(0, 100), (65_535, 100), (65_536, 1100), (1 << 20, 16_100)])
    func theDeadlineGrowsWithTheBytesThatTheClientReads(sent: Int, milliseconds: UInt64) {
        let backlog = BodyStream.Backlog(began: 7, sent: sent)
        #expect(backlog.deadline(milliseconds: 100) == 7 + milliseconds * 1_000_000)
    }
}
