@testable import ConnectAPI
import Testing

@Suite struct PendingBytesTests {
    @Test func bytesComeOutInTheirOrderAndInPieces() {
        var pending = PendingBytes()
        var all: [UInt8] = []
        for index in 0..<200 {
            let bytes = [UInt8](repeating: UInt8(index), count: index * 7)
            pending.append(bytes)
            all += bytes
        }
        #expect(pending.count == all.count)
        var taken: [UInt8] = []
        while let piece = pending.takeFirst() {
            #expect(piece.count <= 32 << 10)
            taken += piece
        }
        #expect(taken == all && pending.isEmpty)
    }

    @Test func whatIsLongerThanAPieceStaysWhole() {
        var pending = PendingBytes()
        pending.append([1])
        pending.append([UInt8](repeating: 2, count: 100_000))
        pending.append([3])
        #expect(pending.takeFirst() == [1])
        #expect(pending.takeFirst()?.count == 100_000)
        #expect(pending.takeFirst() == [3] && pending.takeFirst() == nil)
    }
}
