import Synchronization
import Testing
@testable import connectd

@Suite("The gate of checks")
struct StartGateTests {
    @Test("holds checks back until results are printed, and lets none start after it is closed")
    func capacity() async {
        let gate = StartGate(capacity: 4)
        let entered = Atomic(0)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    if await gate.enter() { entered.add(1, ordering: .relaxed) }
                }
            }
            for _ in 0..<4 { await group.next() }
            #expect(entered.load(ordering: .relaxed) == 4)
            for _ in 0..<4 { gate.leave() }
            for _ in 0..<3 { await group.next() }
            #expect(entered.load(ordering: .relaxed) <= 8)
            gate.close()
            await group.waitForAll()
        }
        #expect(entered.load(ordering: .relaxed) <= 8)
        #expect(await !gate.enter())
    }
}
