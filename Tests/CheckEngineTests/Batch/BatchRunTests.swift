@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Synchronization
import Testing

/// Batches on real workers.
@Suite struct BatchRunTests {
    /// Notes how each check ends.
    private final class Work: BatchWork {
        enum Conclusion: Equatable { case finished(Outcome), cancelled, unprepared }

        let checks: [PreparedCheck?]
        let ends = Mutex<[Int: [Conclusion]]>([:])
        let workers = Mutex<Set<Int>>([])
        let limit = Atomic<Int>(Int.max)
        let preparations = Atomic<Int>(0)
        /// Runs the checks that are remote; nil if none is.
        let remote: (@Sendable (Int) async -> Bool)?

        /// - Parameter remote: runs every odd check, and returns whether it timed out; nil for no remote checks.
        init(_ checks: [PreparedCheck?], remote: (@Sendable (Int) async -> Bool)? = nil) {
            self.checks = checks
            self.remote = remote
        }

        var hasRemoteChecks: Bool { remote != nil }

        func isRemote(_ index: Int) -> Bool { index % 2 == 1 }

        func runRemote(_ index: Int, _ check: PreparedCheck, on worker: Int) async -> RemoteItemResult {
            let isTimeout = await remote?(index) == true
            return RemoteItemResult(isTimeout: isTimeout, byteCount: 100) { [self] worker in
                note(index, .finished(isTimeout ? .failed(.timeout) : .answered), worker)
            }
        }

        var lastStart: Int { limit.load(ordering: .relaxed) }
        var endCount: Int { ends.withLock { $0.values.reduce(0) { $0 + $1.count } } }
        var eachEndedOnce: Bool { ends.withLock { $0.count == checks.count && $0.values.allSatisfy { $0.count == 1 } } }

        func count(_ end: Conclusion) -> Int { ends.withLock { $0.values.count { $0 == [end] } } }

        private func note(_ index: Int, _ end: Conclusion, _ worker: Int) {
            ends.withLock { $0[index, default: []].append(end) }
            workers.withLock { _ = $0.insert(worker) }
        }

        func prepare(_ index: Int, on worker: Int) -> PreparedCheck? {
            preparations.add(1, ordering: .relaxed)
            if checks[index] == nil { note(index, .unprepared, worker) }
            return checks[index]
        }

        func finish(_ index: Int, _ check: PreparedCheck, with answer: CheckAnswer, on worker: Int) {
            note(index, answer.result(of: check).map { .finished($0.outcome) } ?? .cancelled, worker)
        }

        func cancel(_ index: Int, on worker: Int) { note(index, .cancelled, worker) }
    }

    private func run(
        _ work: Work, _ options: BatchOptions, limit: Int = 100, hosts: [String] = [],
        during body: @escaping @Sendable (BatchRun, WorkerPool) async throws -> Void = { _, _ in }
    ) async throws {
        let pool = try WorkerPool(count: 2, admission: Admission(limit: limit, queueLimit: 0))
        let threads = try pool.start()
        let batch = BatchRun(
            count: work.checks.count, hosts: hosts, options: options, pool: pool, context: CheckContext(policy: nil),
            work: work)
        let task = Task(executorPreference: pool.workers[0].reactor.thread) { await batch.run(from: 0) }
        let result = await Task { try await body(batch, pool) }.result
        await task.value
        #expect(pool.admission.inFlight == 0)
        threads.stopAndJoin()
        try result.get()
    }

    private func check(_ endpoint: Endpoint, milliseconds: Int = 5000) throws -> PreparedCheck {
        PreparedCheck(request: CheckRequest(target: try endpoint.target, timeoutMilliseconds: milliseconds))
    }

    private func wait(until condition: @Sendable () -> Bool) async throws {
        for _ in 0..<10_000 where !condition() { try await Task.sleep(for: .milliseconds(2)) }
        #expect(condition())
    }

    @Test func eachCheckEndsOnceAndAllWorkersTakePart() async throws {
        let peer = try LoopbackPeer(backlog: 1024)
        let check = try check(peer.endpoint)
        let work = Work((0..<200).map { $0 % 10 == 3 ? nil : check })
        try await run(work, BatchOptions(concurrency: 20))
        #expect(work.eachEndedOnce && work.count(.unprepared) == 20 && work.count(.finished(.connected)) == 180)
        #expect(work.workers.withLock { $0 } == [0, 1])
    }

    @Test func checksThatRunElsewhereEndOnceAndKeepTheConcurrency() async throws {
        let peer = try LoopbackPeer(backlog: 1024)
        let check = try check(peer.endpoint)
        let (running, most) = (Counter(), Counter())
        let work = Work(Array(repeating: check, count: 60)) { _ in
            most.raise(to: running.add(1))
            try? await Task.sleep(for: .milliseconds(2))
            _ = running.add(-1)
            return false
        }
        try await run(work, BatchOptions(concurrency: 4))
        #expect(work.eachEndedOnce && work.count(.finished(.connected)) == 30 && work.count(.finished(.answered)) == 30)
        #expect((1...4).contains(most.value), "\(most.value)")
    }

    @Test func aCheckThatTimesOutElsewhereIsRepeated() async throws {
        let peer = try LoopbackPeer(backlog: 16)
        let tries = Mutex<[Int: Int]>([:])
        let work = Work(Array(repeating: try check(peer.endpoint), count: 4)) { index in
            let count = tries.withLock { tries in
                tries[index, default: 0] += 1
                return tries[index, default: 0]
            }
            return index == 3 || count == 1
        }
        var options = BatchOptions(concurrency: 4)
        options.timeoutRetries = 2
        options.retryPauseMilliseconds = 1
        try await run(work, options)
        #expect(work.eachEndedOnce && tries.withLock { $0 } == [1: 2, 3: 3])
        #expect(work.count(.finished(.failed(.timeout))) == 1 && work.count(.finished(.answered)) == 1)
    }

    @Test func aStopCancelsChecksThatRunElsewhere() async throws {
        let peer = try LoopbackPeer(backlog: 16)
        let started = Counter()
        let work = Work(Array(repeating: try check(peer.endpoint), count: 8)) { _ in
            _ = started.add(1)
            try? await Task.sleep(for: .seconds(60))
            return false
        }
        try await run(work, BatchOptions(concurrency: 8)) { batch, _ in
            try await wait { started.value == 4 }
            batch.cancel()
        }
        #expect(work.eachEndedOnce)
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }

        func add(_ change: Int) -> Int {
            count.withLock { count in
                count += change
                return count
            }
        }

        func raise(to other: Int) { count.withLock { $0 = max($0, other) } }
    }

    @Test(arguments: [1, 2, 3])
    func theConcurrencyIsKept(_ concurrency: Int) async throws {
        let silent = try SilentPeer()
        let check = try check(silent.endpoint, milliseconds: 60_000)
        let work = Work([check, check, check, check, check])
        try await run(work, BatchOptions(concurrency: concurrency)) { batch, pool in
            try await wait { pool.admission.inFlight == concurrency }
            try await Task.sleep(for: .milliseconds(50))
            #expect(pool.admission.inFlight == concurrency && batch.inFlightCount == concurrency)
            batch.cancel()
        }
        #expect(work.eachEndedOnce && work.count(.cancelled) == 5 - concurrency)
    }

    @Test func theBatchLeavesAPermitForSingleChecks() async throws {
        let silent = try SilentPeer()
        let check = try check(silent.endpoint, milliseconds: 60_000)
        try await run(Work([check, check, check, check]), BatchOptions(concurrency: 1000), limit: 3) { batch, pool in
            defer { batch.cancel() }
            try await wait { pool.admission.inFlight == 2 }
            var isGranted = false
            if let permit = pool.admission.acquireAtOnce() {
                isGranted = true
                _ = consume permit
            }
            #expect(isGranted)
        }
    }

    @Test func aStopEndsWhatHasNotStarted() async throws {
        let silent = try SilentPeer()
        let check = try check(silent.endpoint, milliseconds: 60_000)
        let work = Work(Array(repeating: check, count: 300))
        try await run(work, BatchOptions(concurrency: 4)) { batch, pool in
            try await wait { pool.admission.inFlight == 4 }
            batch.stop()
            try await wait { work.endCount == 296 }
            batch.cancel()
        }
        #expect(work.eachEndedOnce)
        #expect(work.count(.cancelled) == 296 && work.count(.finished(.failed(.cancelled))) == 4)
    }

    @Test func aCancelEndsWhatIsInFlightToo() async throws {
        let silent = try SilentPeer()
        let check = try check(silent.endpoint, milliseconds: 60_000)
        let work = Work(Array(repeating: check, count: 30))
        try await run(work, BatchOptions(concurrency: 4)) { batch, pool in
            try await wait { pool.admission.inFlight == 4 }
            batch.stop(cancelingAt: Clock.now().advanced(byMilliseconds: 20))
        }
        #expect(work.eachEndedOnce)
        #expect(work.count(.cancelled) == 26 && work.count(.finished(.failed(.cancelled))) == 4)
    }

    @Test func anAbandonedBatchEndsAtOnce() async throws {
        let silent = try SilentPeer()
        let check = try check(silent.endpoint, milliseconds: 60_000)
        let work = Work(Array(repeating: check, count: 30))
        try await run(work, BatchOptions(concurrency: 4)) { batch, pool in
            try await wait { pool.admission.inFlight == 4 }
            batch.abandon()
        }
        #expect(work.endCount == 4, "the others have no result")
    }

    @Test func timeoutsAreRepeatedAfterTheRest() async throws {
        let silent = try SilentPeer()
        let peer = try LoopbackPeer.open()
        let work = Work([try check(silent.endpoint, milliseconds: 50), try check(peer.endpoint)])
        var options = BatchOptions(concurrency: 4)
        options.timeoutRetries = 2
        options.retryPauseMilliseconds = 30
        let begin = Clock.now()
        try await run(work, options)
        #expect(Clock.now().since(begin) >= 210_000_000, "three times 50 ms, and two pauses")
        #expect(work.eachEndedOnce && work.count(.finished(.failed(.timeout))) == 1)
    }

    @Test func aStopEndsARepetitionWithTheResultThatIsKnown() async throws {
        let silent = try SilentPeer()
        let work = Work([try check(silent.endpoint, milliseconds: 50), try check(silent.endpoint, milliseconds: 50)])
        var options = BatchOptions(concurrency: 4)
        options.timeoutRetries = 1
        options.retryPauseMilliseconds = 60_000
        try await run(work, options) { batch, pool in
            try await wait { work.preparations.load(ordering: .relaxed) == 2 && batch.inFlightCount == 0 }
            batch.stop()
        }
        #expect(work.eachEndedOnce && work.count(.finished(.failed(.timeout))) == 2)
    }

    @Test func nothingStartsWhileResultsWait() async throws {
        let peer = try LoopbackPeer.open()
        let check = try check(peer.endpoint)
        let work = Work([check, check, check])
        work.limit.store(-1, ordering: .relaxed)
        try await run(work, BatchOptions(concurrency: 4)) { batch, _ in
            try await Task.sleep(for: .milliseconds(20))
            #expect(work.endCount == 0)
            work.limit.store(0, ordering: .relaxed)
            batch.resume()
            try await wait { work.endCount == 1 }
            work.limit.store(.max, ordering: .relaxed)
            batch.resume()
        }
        #expect(work.eachEndedOnce)
    }

    @Test func aHostHasNoMoreThanItsLimit() async throws {
        let silent = try SilentPeer()
        let check = try check(silent.endpoint, milliseconds: 60_000)
        var options = BatchOptions(concurrency: 10)
        options.perHost = 2
        let work = Work(Array(repeating: check, count: 6))
        try await run(work, options, hosts: ["a", "a", "a", "b", "a", "a"]) { batch, pool in
            try await wait { pool.admission.inFlight == 3 }
            try await Task.sleep(for: .milliseconds(50))
            #expect(pool.admission.inFlight == 3)
            batch.cancel()
        }
        #expect(work.eachEndedOnce)
    }

    @Test func twoBatchesShareThePermits() async throws {
        let silent = try SilentPeer()
        let check = try check(silent.endpoint, milliseconds: 200)
        let (first, second) = (Work(Array(repeating: check, count: 40)), Work(Array(repeating: check, count: 40)))
        try await run(first, BatchOptions(concurrency: 1000), limit: 9) { _, pool in
            try await wait { first.preparations.load(ordering: .relaxed) >= 8 }
            let other = BatchRun(
                count: 40, hosts: [], options: BatchOptions(concurrency: 1000), pool: pool,
                context: CheckContext(policy: nil), work: second)
            await Task(executorPreference: pool.workers[1].reactor.thread) { await other.run(from: 1) }.value
            // The first had 8 permits of its own before, which is one round.
            #expect((16...40).contains(first.endCount))
        }
        #expect(first.eachEndedOnce && second.eachEndedOnce)
    }

    @Test func anEmptyBatchEnds() async throws {
        try await run(Work([]), BatchOptions(concurrency: 4))
    }
}
