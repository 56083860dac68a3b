@testable import CheckEngine
import CheckModel
import NetworkTypes
import SocketIO
import Testing

/// The memory of checks beyond that of a plain one.
@Suite struct CheckMemoryTests {
    /// Runs the body with a reactor whose loop runs.
    private func withReactor(_ body: @Sendable @escaping (Reactor) async -> Void) async throws {
        let reactor = try Reactor(thread: ReactorThread(index: 0))
        let thread = try WorkerThread(running: reactor)
        await Task(executorPreference: reactor.thread) { await body(reactor) }.value
        thread.stopAndJoin()
    }

    @Test func memoryIsReturnedWithItsLease() async throws {
        try await withReactor { reactor in
            let memory = CheckMemory(limitBytes: 100)
            let lease = await memory.lease(60, on: reactor)
            #expect(lease != nil && memory.heldBytes == 60)
            #expect(memory.leaseAtOnce(41) == nil)
            #expect(memory.leaseAtOnce(40) != nil, "and is returned at once")
            withExtendedLifetime(lease) {}
        }
    }

    @Test func aCheckWaitsUntilMemoryIsReturned() async throws {
        try await withReactor { reactor in
            let memory = CheckMemory(limitBytes: 100)
            var first = await memory.lease(100, on: reactor)
            #expect(first != nil)
            let second = Task(executorPreference: reactor.thread) { await memory.lease(50, on: reactor) != nil }
            while memory.waitingCount == 0 { await Task.yield() }
            #expect(memory.leaseAtOnce(1) == nil)
            first = nil
            #expect(await second.value)
            #expect(memory.heldBytes == 0)
        }
    }

    @Test func aWaitEndsAtTheDeadlineAndWhenItIsCanceled() async throws {
        try await withReactor { reactor in
            let memory = CheckMemory(limitBytes: 100)
            let lease = await memory.lease(100, on: reactor)
            let soon = Clock.now().advanced(byMilliseconds: 5)
            #expect(await memory.lease(1, on: reactor, until: soon) == nil)
            let canceled = Task(executorPreference: reactor.thread) { await memory.lease(1, on: reactor) == nil }
            while memory.waitingCount == 0 { await Task.yield() }
            canceled.cancel()
            #expect(await canceled.value)
            #expect(memory.waitingCount == 0 && memory.heldBytes == 100)
            withExtendedLifetime(lease) {}
        }
    }

    @Test func aCheckThatNeedsMoreThanTheLimitRunsAlone() async throws {
        try await withReactor { reactor in
            let memory = CheckMemory(limitBytes: 100)
            let lease = await memory.lease(1000, on: reactor)
            #expect(lease != nil && memory.heldBytes == 100)
            withExtendedLifetime(lease) {}
        }
    }

    @Test func aPlainCheckNeedsNone() throws {
        #expect(try check("tcp://127.0.0.1:1").bytesAtStart == 0)
    }

    @Test func tlsAndGroupsNeedMemory() throws {
        let tls = try check("tls://127.0.0.1:1").bytesAtStart
        #expect(tls == CheckMemoryCost.tls)
        let dialog = try check("tcp://127.0.0.1:1", [.expect(pattern: "(?<a>.*)"), .send(text: "x")]).bytesAtStart
        #expect(dialog == CheckMemoryCost.dialog)
        let group = try check("tcp://127.0.0.1:1", [.expect(pattern: "(?<a>.*)"), .send(text: "${a}")]).bytesAtStart
        #expect(group == CheckMemoryCost.dialog + CheckMemoryCost.group)
    }

    @Test func simultaneousAttemptsTakeTheirOwn() throws {
        let request = try check("tls://localhost:1").request
        var all = request
        all.resolve.addresses = .all
        #expect(PreparedCheck(request: all).bytesAtStart == 0)
        #expect(PreparedCheck(request: all).phaseBytes == CheckMemoryCost.tls)
    }

    private func check(_ target: String, _ dialog: [DialogStep] = []) throws -> PreparedCheck {
        var request = CheckRequest(target: try Target(parsing: target))
        request.dialog = dialog
        return PreparedCheck(request: request)
    }
}

@Suite struct LoopProgressTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func time(_ milliseconds: Int) -> MonotonicTime { start.advanced(byMilliseconds: milliseconds) }

    @Test func aLoopInTheSameTurnForTenSecondsIsStuck() {
        let progress = LoopProgress(workerCount: 2)
        #expect(!progress.isStuck(turns: [7, nil], at: time(0)))
        #expect(!progress.isStuck(turns: [7, nil], at: time(9_999)))
        #expect(progress.isStuck(turns: [7, nil], at: time(10_000)))
        #expect(!progress.isStuck(turns: [8, nil], at: time(10_001)), "its next turn has begun")
    }

    @Test func aLoopThatWaitsForEventsIsNotStuck() {
        let progress = LoopProgress(workerCount: 1)
        #expect(!progress.isStuck(turns: [nil], at: time(0)))
        #expect(!progress.isStuck(turns: [nil], at: time(60_000)))
        #expect(!progress.isStuck(turns: [3], at: time(60_001)), "and a turn after a long wait is new")
    }
}
