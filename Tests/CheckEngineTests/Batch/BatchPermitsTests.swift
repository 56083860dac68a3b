@testable import CheckEngine
import Synchronization
import Testing

/// How batches share the permits.
@Suite struct BatchPermitsTests {
    private final class Calls: Sendable {
        let count = Atomic<Int>(0)
    }

    private func take(_ count: Int, _ batch: Int, _ admission: Admission) -> Int {
        (0..<count).count { _ in admission.takeBatchPermit(batch) }
    }

    @Test(arguments: [(1, 1), (2, 1), (16, 15), (4096, 3840)])
    func somePermitsRemainForSingleChecks(limit: Int, batchLimit: Int) {
        let admission = Admission(limit: limit, queueLimit: 0)
        let batch = admission.addBatch {}
        #expect(admission.batchLimit == batchLimit && take(limit + 1, batch, admission) == batchLimit)
        #expect(admission.inFlight == batchLimit)
    }

    @Test func permitsComeBack() {
        let admission = Admission(limit: 17, queueLimit: 0)
        let calls = Calls()
        let batch = admission.addBatch { calls.count.add(1, ordering: .relaxed) }
        #expect(take(17, batch, admission) == 16 && calls.count.load(ordering: .relaxed) == 0)
        admission.releaseBatchPermit(batch)
        admission.releaseBatchPermit(batch)
        #expect(calls.count.load(ordering: .relaxed) == 1, "told once, until it asks again")
        #expect(take(17, batch, admission) == 2)
        for _ in 0..<16 { admission.releaseBatchPermit(batch) }
        admission.removeBatch(batch)
        #expect(admission.inFlight == 0)
    }

    @Test func aBatchThatWaitsGetsWhatComesBackUntilBothHaveTheSame() {
        let admission = Admission(limit: 17, queueLimit: 0)
        let calls = Calls()
        let first = admission.addBatch {}
        let second = admission.addBatch { calls.count.add(1, ordering: .relaxed) }
        #expect(take(16, first, admission) == 16)
        #expect(take(1, second, admission) == 0)
        for number in 1...8 {
            #expect(!admission.mayKeepBatchPermit(first))
            admission.releaseBatchPermit(first)
            #expect(!admission.takeBatchPermit(first), "the permit is for the one that waits")
            #expect(calls.count.load(ordering: .relaxed) == number)
            #expect(admission.takeBatchPermit(second) && !admission.takeBatchPermit(second))
        }
        #expect(admission.mayKeepBatchPermit(first) && admission.mayKeepBatchPermit(second))
    }

    @Test func aBatchThatNeedsNoneLeavesItToTheOthers() {
        let admission = Admission(limit: 5, queueLimit: 0)
        let first = admission.addBatch {}
        let second = admission.addBatch {}
        #expect(take(4, first, admission) == 4 && take(1, second, admission) == 0)
        #expect(!admission.mayKeepBatchPermit(first))
        admission.endBatchWait(second)
        #expect(admission.mayKeepBatchPermit(first))
    }

    @Test func aQueuedSingleCheckComesFirst() async {
        let admission = Admission(limit: 1, queueLimit: 1)
        let batch = admission.addBatch {}
        #expect(admission.takeBatchPermit(batch))
        let single = Task { () -> Bool in
            if case .admitted(let permit) = await admission.acquire() {
                _ = consume permit
                return true
            }
            return false
        }
        while admission.queued == 0 { await Task.yield() }
        #expect(!admission.mayKeepBatchPermit(batch))
        admission.releaseBatchPermit(batch)
        #expect(await single.value)
        #expect(admission.takeBatchPermit(batch))
    }
}

/// How batches share the turns of a worker.
@Suite struct BatchTurnsTests {
    @Test func eachBatchHasAnEqualPartOfATurn() {
        let all = BatchTurns.startsOfTurn
        #expect(BatchTurns.starts(of: 1, at: 1, inTurn: 7) == all)
        #expect(BatchTurns.starts(of: 2, at: 1, inTurn: 7) == all / 2)
        #expect(BatchTurns.starts(of: all, at: 1, inTurn: 7) == 1)
    }

    @Test func withManyBatchesATurnStartsNoMoreAndNoneIsLeftOut() {
        let batches = 100
        var starts = [Int](repeating: 0, count: batches)
        for turn in 0..<UInt64(200) {
            let before = starts.reduce(0, +)
            for batch in 0..<batches {
                starts[batch] += BatchTurns.starts(of: batches, at: UInt64(batch), inTurn: turn)
            }
            #expect(starts.reduce(0, +) - before <= BatchTurns.startsOfTurn)
        }
        #expect(starts.allSatisfy { $0 > 200 * BatchTurns.startsOfTurn / batches - 2 })
    }
}
