@testable import Blackbox
import Glibc
import Synchronization
import Testing

@Suite struct SharedReloadsTests {
    private final class Counted: Sendable {
        let count = Mutex(0)
        let asked = Mutex(0)

        /// Holds the reload until all have asked, or nobody else gets a thread to ask on.
        func waitForAsked(_ number: Int) {
            for _ in 0..<500 where asked.withLock({ $0 }) < number { usleep(4000) }
        }
    }

    @Test func `a hundred who ask at once cost few reloads`() async {
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
        // All may have asked before the first began, and the last one when the second had.
        #expect((1...3).contains(counted.count.withLock { $0 }))
    }

    @Test func `one that is asked for behind another is done anew`() async {
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
