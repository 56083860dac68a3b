import CLinux
import NetworkTypes
import SocketIO
import Synchronization
import Testing

/// Many tasks on two threads: nothing is lost or duplicated.
@Suite struct ReactorStressTests {
    @Test func jobsPassedBetweenTwoThreadsAreNeverLost() async throws {
        // Each await sends the job to the other thread while that thread goes to sleep. A lost wakeup would hang here.
        let total = try await withReactor { left in
            try await withReactor { right in await Self.play(Player(reactor: left), Player(reactor: right)) }
        }
        #expect(total == 100_000)
    }

    /// Four tasks alternate between the threads.
    private static func play(_ one: Player, _ other: Player) async -> Int {
        await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<12_500 {
                        await one.play()
                        await other.play()
                    }
                }
            }
        }
        return await one.plays + other.plays
    }

    @Test func aWakeupFromAnotherThreadIsNeverLostBeforeTheSleep() async throws {
        try await withReactor { reactor in
            let player = Player(reactor: reactor)
            // No task here prefers the thread, so each call is an enqueue from outside.
            for _ in 0..<20_000 { await player.play() }
            #expect(await player.plays == 20_000)
        }
    }

    @Test(arguments: [0, 1, 2]) func eachWaitThatIsCanceledWhileItIsWokenEndsOnce(
        milliseconds: Int
    ) async throws {
        try DescriptorLimit.raise(toAtLeast: 4096)
        try await withReactor { reactor in
            let pipes = try (0..<1000).map { _ in try Pipe() }
            let ended = Counter()
            let tasks = pipes.map { pipe in
                Task(executorPreference: reactor.thread) { () async throws -> WaitOutcome in
                    let token = try await reactor.add(pipe.reader, for: .readable)
                    let deadline = Clock.now().advanced(byMilliseconds: milliseconds + 1)
                    let outcome = await reactor.wait(token, for: .readable, until: deadline)
                    await reactor.remove(token)
                    ended.add()
                    return outcome
                }
            }
            // Readiness, the deadline and the cancellation race for each wait.
            for (pipe, task) in zip(pipes, tasks) {
                pipe.write()
                task.cancel()
            }
            for task in tasks { _ = try await task.value }
            #expect(ended.count == 1000)
            // All slots are free again, and in order.
            #expect(await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 1)) == .deadline)
        }
    }

    @Test func cancelingATaskAfterItsWaitDoesNotEndOtherWaits() async throws {
        try await withReactor { reactor in
            for _ in 0..<200 {
                let pipe = try Pipe()
                let reader = pipe.reader
                let token = try await reactor.add(reader, for: .readable)
                let first = Task(executorPreference: reactor.thread) {
                    await reactor.wait(token, for: .readable, until: Clock.now())
                }
                first.cancel()
                _ = await first.value
                // The slot is reused by another task, while the cancellation of the first one may still be pending.
                let second = Task(executorPreference: reactor.thread) {
                    await reactor.wait(token, for: .readable, until: .distantFuture)
                }
                pipe.write()
                #expect(await second.value == .ready)
                await reactor.remove(token)
            }
        }
    }

    @Test func deadlinesAreNeverEarlyAndKeepTheirOrder() async throws {
        try await withReactor { reactor in
            let start = Clock.now()
            let woken = try await onThread(of: reactor) {
                await withTaskGroup(of: (MonotonicTime, Bool).self) { group in
                    for index in 0..<1000 {
                        let deadline = start.advanced(byNanoseconds: Int64(index * 7919 % 1000) * 37_001)
                        group.addTask {
                            _ = await reactor.sleep(until: deadline)
                            return (deadline, Clock.now() < deadline)
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
            #expect(woken.count == 1000)
            #expect(!woken.contains { $0.1 })
        }
    }
}

private actor Player {
    private let reactor: Reactor
    private(set) var plays = 0
    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    init(reactor: Reactor) {
        self.reactor = reactor
    }

    func play() {
        plays += 1
    }
}
