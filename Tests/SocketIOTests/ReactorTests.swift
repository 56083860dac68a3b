import CLinux
import NetworkTypes
import SocketIO
import Testing

@Suite struct ReactorTests {
    @Test func aWaitEndsWhenTheDescriptorIsReady() async throws {
        try await withReactor { reactor in
            let pipe = try Pipe()
            let reader = pipe.reader
            let waiting = Task(executorPreference: reactor.thread) {
                let token = try await reactor.add(reader, for: .readable)
                let outcome = await reactor.wait(token, for: .readable, until: .distantFuture)
                await reactor.remove(token)
                return outcome
            }
            pipe.write()
            #expect(try await waiting.value == .ready)
        }
    }

    @Test func readinessWithoutAWaiterIsKeptForTheNextWait() async throws {
        try await withReactor { reactor in
            let pipe = try Pipe()
            let reader = pipe.reader
            pipe.write()
            let outcome = try await onThread(of: reactor) {
                let token = try await reactor.add(reader, for: .readable)
                _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 20))
                let outcome = await reactor.wait(token, for: .readable, until: .distantFuture)
                await reactor.remove(token)
                return outcome
            }
            #expect(outcome == .ready)
        }
    }

    @Test func aDeadlineEndsAWait() async throws {
        try await withReactor { reactor in
            let pipe = try Pipe()
            let reader = pipe.reader
            let (outcome, early) = try await onThread(of: reactor) {
                let token = try await reactor.add(reader, for: .readable)
                let deadline = Clock.now().advanced(byMilliseconds: 30)
                let outcome = await reactor.wait(token, for: .readable, until: deadline)
                await reactor.remove(token)
                return (outcome, Clock.now() < deadline)
            }
            #expect(outcome == .deadline)
            #expect(!early)
        }
    }

    @Test func timeInWhichTheLoopDoesNotRunIsCounted() async throws {
        try await withReactor { reactor in
            let stalled = try await onThread(of: reactor) {
                _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 10))
                let before = reactor.stalledNanoseconds
                usleep(400_000)
                _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 10))
                return reactor.stalledNanoseconds - before
            }
            #expect(stalled >= 300_000_000)
        }
    }

    @Test func aCanceledTaskStopsWaiting() async throws {
        try await withReactor { reactor in
            let waiting = Task(executorPreference: reactor.thread) {
                await reactor.sleep(until: .distantFuture)
            }
            try await Task.sleep(for: .milliseconds(20))
            waiting.cancel()
            #expect(await waiting.value == .cancelled)
        }
    }

    @Test func aTaskThatIsAlreadyCanceledDoesNotWait() async throws {
        try await withReactor { reactor in
            let waiting = Task(executorPreference: reactor.thread) {
                withUnsafeCurrentTask { $0?.cancel() }
                return await reactor.sleep(until: .distantFuture)
            }
            #expect(await waiting.value == .cancelled)
        }
    }

    @Test func aThousandSleepersWakeInTheOrderOfTheirDeadlines() async throws {
        try await withReactor { reactor in
            let start = Clock.now()
            let delays = (0..<1000).map { ($0 * 7919) % 1000 }
            let woken = try await onThread(of: reactor) {
                await withTaskGroup(of: Int.self) { group in
                    for delay in delays {
                        group.addTask {
                            _ = await reactor.sleep(
                                until: start.advanced(byNanoseconds: Int64(delay) * 100_000 + 50_000_000))
                            return delay
                        }
                    }
                    return await group.reduce(into: [Int]()) { $0.append($1) }
                }
            }
            #expect(woken == woken.sorted())
            #expect(woken.count == 1000)
        }
    }

    @Test func awaitBetweenActorsOfOneThreadCostsNoEnqueue() async throws {
        try await withReactor { reactor in
            let sibling = Sibling(reactor: reactor)
            let enqueues = try await onThread(of: reactor) { await sibling.enqueuesOfACall() }
            #expect(enqueues == 0)
        }
    }

    @Test func aWaitCostsOneEnqueue() async throws {
        try await withReactor { reactor in
            let sibling = Sibling(reactor: reactor)
            let enqueues = try await onThread(of: reactor) { await sibling.enqueuesOfAWait() }
            #expect(enqueues == 1)
        }
    }

    @Test func aWaitOutsideOfActorsCostsOneEnqueue() async throws {
        try await withReactor { reactor in
            let sibling = Sibling(reactor: reactor)
            let pipe = try Pipe()
            let enqueues = try await onThread(of: reactor) { try await sibling.enqueuesOfAWait(on: pipe) }
            #expect(enqueues == 1)
        }
    }
}

/// An actor on the reactor's thread, like the engine and the HTTP worker.
private actor Sibling {
    let reactor: Reactor
    nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.unownedExecutor }

    init(reactor: Reactor) {
        self.reactor = reactor
    }

    func enqueuesOfACall() async -> UInt64 {
        let before = reactor.thread.enqueueCount
        let timer = await reactor.makeTimer {}
        await reactor.remove(timer)
        return reactor.thread.enqueueCount - before
    }

    func enqueuesOfAWait() async -> UInt64 {
        let before = reactor.thread.enqueueCount
        _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 1))
        return reactor.thread.enqueueCount - before
    }

    func enqueuesOfAWait(on pipe: Pipe) async throws -> UInt64 {
        let before = reactor.thread.enqueueCount
        try await waitForNothing(on: pipe.reader, by: reactor)
        return reactor.thread.enqueueCount - before
    }
}

/// A wait as in an attempt: called from an actor, but not isolated itself.
private func waitForNothing(on descriptor: Int32, by reactor: Reactor) async throws {
    let token = try reactor.addOnThread(descriptor, for: .readable)
    let outcome = await reactor.waitOnThread(
        token, for: .readable, until: Clock.now().advanced(byMilliseconds: 1))
    #expect(outcome == .deadline)
    reactor.removeOnThread(token)
}

/// A pipe(2) that its deinit closes.
final class Pipe: Sendable {
    let reader: Int32
    private let writer: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Errno.current }
        (reader, writer) = (ends[0], ends[1])
    }

    deinit {
        close(reader)
        close(writer)
    }

    func write() {
        _ = CLinux.write(writer, "x", 1)
    }
}
