import ConnectAPI
import Testing

@Suite struct OriginReaderTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00f067aa0ba902b7"
    private static let zeros = String(repeating: "0", count: 32)

    @Test(arguments: [
        "00-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-00", "cc-\(trace)-\(parent)-01-what-comes-later",
        "01-\(trace)-\(parent)-ff",
    ])
    func aValidTraceparentIsKept(_ text: String) {
        #expect(OriginReader.isTraceparent(text))
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(parent)", "ff-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-01-more",
        "00-\(zeros)-\(parent)-01", "00-\(trace)-0000000000000000-01", "00-\(trace.uppercased())-\(parent)-01",
        "00-\(trace)x-\(parent)-01", "cc-\(trace)-\(parent)-01-\u{1}", "cc-\(trace)-\(parent)-01-ä",
        "00-\(trace)-\(parent)-01 ",
    ])
    func anInvalidTraceparentIsIgnored(_ text: String) {
        #expect(!OriginReader.isTraceparent(text))
    }

    @Test func aRequestIDIsVisibleASCIIOfLimitedLength() {
        #expect(OriginReader.isRequestID("req-1:a/b=c"))
        #expect(OriginReader.isRequestID(String(repeating: "x", count: 128)))
        for text in ["", "a b", "a\nb", "ä", String(repeating: "x", count: 129)] {
            #expect(!OriginReader.isRequestID(text))
        }
    }
}
