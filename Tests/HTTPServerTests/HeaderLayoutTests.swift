@testable import HTTPServer
import Testing

/// Header lines in memory as each version of libmicrohttpd leaves them: which bytes may follow a value, and which lines
/// are found.
@Suite struct HeaderLayoutTests {
    /// After a value: two NULs up to 0.9. From 1.0 on: a NUL and LF, or a NUL in place of the first cut blank.
    static let gaps = ["\0\0", "\0\n", "\0\r\n", "\0 \t\r\n"]
    /// Bytes that were skipped, joined or hidden.
    static let holes = ["\0", "\0\0\0", "\0\r\n\r\n", "\0 \n", "\0\n ", "\0 \r \r\n", "\0Y:\r\n", "\0\0Y\0c\0\0"]

    @Test(arguments: gaps)
    func theNextLineIsFoundAfter(gap: String) {
        let memory = Array("Host\0 a\(gap)X-Test\0 b\(gap)".utf8)
        memory.withUnsafeBufferPointer {
            let lines = HeaderLines(bytes: $0)
            var position = 0
            #expect(lines.nextValue(of: "x-test", from: &position).map(Array.init) == Array("b".utf8))
        }
    }

    @Test(arguments: gaps)
    func aLineIsAcceptedAfter(gap: String) {
        #expect(fault(ofLineAfter: gap) == nil)
    }

    @Test(arguments: holes)
    func aLineIsRefusedAfter(hole: String) {
        #expect(fault(ofLineAfter: hole) == .lineEnding)
    }

    private func fault(ofLineAfter gap: String) -> HeadFault? {
        let memory = Array("Host\0a\(gap)X\0b\0\n".utf8)
        return memory.withUnsafeBufferPointer { bytes -> HeadFault? in
            guard let start = bytes.baseAddress else { return nil }
            var walk = HeaderWalk(from: start)
            let second = start + 6 + gap.utf8.count
            _ = walk.visit(name: .init(start: start, count: 4), value: .init(start: start + 5, count: 1))
            _ = walk.visit(name: .init(start: second, count: 1), value: .init(start: second + 2, count: 1))
            return walk.fault
        }
    }
}
