@testable import connectd
import Testing

/// The shares of the memory that the process may use.
@Suite struct MemorySharesTests {
    private func shares(_ mebibytes: Int) -> MemoryShares {
        // A folder without files: no control group limits the memory.
        MemoryShares(AvailableMemory(root: "/proc/self/nothing", physicalBytes: mebibytes << 20))
    }

    @Test(arguments: [32, 64, 128, 1024, 65_536]) func allSharesTogetherFit(mebibytes: Int) {
        let it = shares(mebibytes)
        let checks = it.checkCount * (12 << 10)
        #expect(it.clients + it.checks + checks + (16 << 20) <= it.available.bytes || it.checkCount == 64)
    }

    @Test func theDocumentedSizeAllowsTheChecksOfItsDescriptors() {
        let it = shares(64)
        #expect(it.clients == 16 << 20 && it.checks == 8 << 20)
        #expect(it.checkCount >= 1944, "half of 4096 descriptors")
        #expect(it.connections == 4096)
        #expect(it.socketBuffer != nil)
    }

    @Test func muchMemoryLimitsNothing() {
        let it = shares(8192)
        #expect(it.checkCount > 65_536 && it.connections > 16_384 && it.socketBuffer == nil)
    }
}
