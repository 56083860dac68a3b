@testable import SocketIO
import TestSupport
import Testing

@Suite struct SlotTableTests {
    /// A table with reference semantics: the test macros cannot use values that change.
    private final class Table {
        var table = SlotTable()

        /// Whether an event reaches a waiter.
        func reaches(_ token: SlotToken, _ readiness: Readiness) -> Bool {
            if case .noWaiter = table.deliver(readiness, to: token) { false } else { true }
        }

        func consumes(_ token: SlotToken, _ interest: Readiness) -> Bool {
            table.consumeReadiness(of: token, interest: interest)
        }

        func resumes(_ token: SlotToken, wait: UInt32) -> Bool {
            guard let continuation = table.unpark(token, wait: wait) else { return false }
            continuation.resume(returning: .cancelled)
            return true
        }

        func take(handler: (@Sendable (Readiness) -> Void)? = nil) -> SlotToken { table.take(handler: handler) }

        func release(_ token: SlotToken) { _ = table.release(token) }

        func isCurrent(_ token: SlotToken) -> Bool { table.isCurrent(token) }
    }

    @Test func aTokenOfAnEarlierUseIsNotCurrent() {
        let table = Table()
        let old = table.take()
        table.release(old)
        let new = table.take(handler: { _ in })
        #expect(new.index == old.index)
        #expect(!table.isCurrent(old))
        #expect(table.isCurrent(new))
        #expect(!table.reaches(old, .readable))
        #expect(table.reaches(new, .readable))
        table.release(old)
        #expect(table.isCurrent(new))
    }

    @Test func aTokenThatWasNeverIssuedHasNoOwner() {
        let table = Table()
        let token = SlotToken(index: 3, generation: 0)
        #expect(!table.isCurrent(token))
        #expect(!table.reaches(token, [.readable, .error]))
        #expect(!table.consumes(token, .readable))
        #expect(!table.resumes(token, wait: 0))
    }

    @Test func packingATokenLosesNothing() {
        for (index, generation) in [(0, 0), (1, .max), (.max, 1), (0x8000_0000, 0x7FFF_FFFF)] as [(UInt32, UInt32)] {
            let token = SlotToken(index: index, generation: generation)
            #expect(SlotToken(packed: token.packed) == token)
        }
    }

    @Test func readinessIsKeptUntilItIsConsumed() {
        let table = Table()
        let token = table.take()
        #expect(!table.reaches(token, [.writable, .peerClosed]))
        #expect(!table.consumes(token, .readable))
        #expect(table.consumes(token, .writable))
        #expect(!table.consumes(token, .writable))
        #expect(table.consumes(token, .peerClosed))
        #expect(!table.reaches(token, .hangUp))
        #expect(table.consumes(token, .readable), "errors and hang-ups end every wait")
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func tokensAreUniqueInAnyOrderOfTakeAndRelease(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let table = Table()
        var taken: [SlotToken] = []
        var released: Set<SlotToken> = []
        for _ in 0..<10_000 {
            if taken.isEmpty || Int.random(in: 0..<5, using: &generator) < 3 {
                let token = table.take()
                #expect(!released.contains(token))
                #expect(!taken.contains(token))
                taken.append(token)
            } else {
                let token = taken.remove(at: Int.random(in: taken.indices, using: &generator))
                table.release(token)
                released.insert(token)
                #expect(!table.isCurrent(token))
            }
            if taken.count > 300 {
                released.formUnion(taken.prefix(200))
                taken.prefix(200).forEach(table.release)
                taken.removeFirst(200)
            }
        }
        #expect(taken.allSatisfy(table.isCurrent))
        #expect(!released.contains(where: table.isCurrent))
    }

    @Test func oneCancellationEndsOneWait() async {
        let outcome = await withUnsafeContinuation { (continuation: UnsafeContinuation<WaitOutcome, Never>) in
            let table = Table()
            let token = table.take()
            let first = table.table.beginWait(at: token)
            let second = table.table.beginWait(at: token)
            table.table.park(continuation, at: token, interest: .readable)
            #expect(!table.resumes(token, wait: first))
            #expect(!table.reaches(token, .writable))
            #expect(table.resumes(token, wait: second))
            #expect(!table.resumes(token, wait: second))
        }
        #expect(outcome == .cancelled)
    }
}
