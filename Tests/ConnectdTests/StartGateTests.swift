import Synchronization
import Testing
@testable import connectd

@Suite("The gate of checks")
struct StartGateTests {
    /// Checks that may start.
    private final class Entered: Sendable {
        let count = Atomic(0)
    }

    @Test("holds checks back until results are printed, and lets none start after it is closed")
    func capacity() async {
        let gate = StartGate(capacity: 4)
        let entered = Entered()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    if await gate.enter() { entered.count.add(1, ordering: .relaxed) }
                }
            }
            for _ in 0..<4 { await group.next() }
            #expect(entered.count.load(ordering: .relaxed) == 4)
            for _ in 0..<4 { gate.leave() }
            for _ in 0..<3 { await group.next() }
            #expect((7...8).contains(entered.count.load(ordering: .relaxed)))
            gate.close()
            await group.waitForAll()
        }
        #expect(entered.count.load(ordering: .relaxed) <= 8)
        let mayStart = await gate.enter()
        #expect(!mayStart)
    }
}
