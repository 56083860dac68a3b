@testable import Blackbox
import Glibc
import Synchronization
import Testing

@Suite struct SharedReloadsTests {
    private final class Counted: Sendable {
        let count = Mutex(0)
        let asked = Mutex(0)

        /// Delays the reload until all requests have arrived, or no more threads are available for them.
        func waitForAsked(_ number: Int) {
            for _ in 0..<500 where asked.withLock({ $0 }) < number { usleep(4000) }
        }
    }

    @Test func `a hundred concurrent requests cause few reloads`() async {
        let reloads = SharedReloads()
        let counted = Counted()
        reloads.offer {
            counted.count.withLock { $0 += 1 }
            counted.waitForAsked(100)
            return "no"
        }
        let answers = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    counted.asked.withLock { $0 += 1 }
                    return await reloads.reload()
                }
            }
            return await group.reduce(into: [String?]()) { $0.append($1) }
        }
        #expect(answers == Array(repeating: "no", count: 100))
        // All may have arrived before the first reload began, or the last one after the second had begun.
        #expect((1...3).contains(counted.count.withLock { $0 }))
    }

    @Test func `a request after a completed reload runs another one`() async {
        let reloads = SharedReloads()
        let counted = Counted()
        reloads.offer {
            counted.count.withLock { $0 += 1 }
            return nil
        }
        for expected in 1...5 {
            #expect(await reloads.reload() == nil)
            #expect(counted.count.withLock { $0 } == expected)
        }
        reloads.offer(nil)
        #expect(await reloads.reload() == "the service is stopping")
    }
}
