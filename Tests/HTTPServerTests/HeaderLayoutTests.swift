@testable import HTTPServer
import Testing

/// Header lines in memory as the versions of libmicrohttpd leave them: what may stand between two of them, and what is found.
@Suite struct HeaderLayoutTests {
    /// Behind a value: two NULs up to 0.9; from 1.0 on NUL and LF, or a NUL for the first of blanks that were cut off.
    static let gaps = ["\0\0", "\0\n", "\0\r\n", "\0 \t\r\n"]
    /// Whatever was skipped, joined or hidden.
    static let holes = ["\0", "\0\0\0", "\0\r\n\r\n", "\0 \n", "\0\n ", "\0 \r \r\n", "\0Y:\r\n", "\0\0Y\0c\0\0"]

    @Test(arguments: gaps)
    func theNextLineIsFoundBehind(gap: String) {
        let memory = Array("Host\0 a\(gap)X-Test\0 b\(gap)".utf8)
        memory.withUnsafeBufferPointer {
            let lines = HeaderLines(bytes: $0)
            var position = 0
            #expect(lines.nextValue(of: "x-test", from: &position).map(Array.init) == Array("b".utf8))
        }
    }

    @Test(arguments: gaps)
    func aLineIsTakenBehind(gap: String) {
        #expect(fault(ofLineBehind: gap) == nil)
    }

    @Test(arguments: holes)
    func aLineIsRefusedBehind(hole: String) {
        #expect(fault(ofLineBehind: hole) == .lineEnding)
    }

    private func fault(ofLineBehind gap: String) -> HeadFault? {
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
