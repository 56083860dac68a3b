import CLinux
import NetworkTypes
import SocketIO
import Synchronization
import Testing

/// The state after a reactor has stopped.
@Suite struct ReactorStopTests {
    @Test func everyWaitEndsAsCanceled() async throws {
        let reactor = try Reactor(thread: ReactorThread(index: 0))
        let thread = try WorkerThread(running: reactor)
        let pipe = try Pipe()
        let reader = pipe.reader
        let began = Counter()
        let tasks = (0..<100).map { index in
            Task(executorPreference: reactor.thread) { () async throws -> [WaitOutcome] in
                began.add()
                var outcomes = [await reactor.sleep(until: .distantFuture)]
                // A wait that begins after the stop ends at once; so does one with a descriptor.
                outcomes.append(await reactor.sleep(until: .distantFuture))
                guard index == 0 else { return outcomes }
                let token = try await reactor.add(reader, for: .readable)
                outcomes.append(await reactor.wait(token, for: .readable, until: .distantFuture))
                await reactor.remove(token)
                return outcomes
            }
        }
        await began.reaches(100)
        thread.stopAndJoin()
        for task in tasks { #expect(try await task.value.allSatisfy { $0 == .cancelled }) }
    }

    @Test func aReactorWithoutWaitersStopsInAnyState() async throws {
        for index in 0..<200 {
            let reactor = try Reactor(thread: ReactorThread(index: 0))
            let thread = try WorkerThread(running: reactor)
            if index.isMultiple(of: 2) { await reactor.remove(await reactor.makeTimer {}) }
            thread.stopAndJoin()
        }
    }

    @Test func aReleasedThreadIsStopped() async throws {
        let reactor = try Reactor(thread: ReactorThread(index: 0))
        let sleeper: Task<WaitOutcome, Never>
        do {
            let thread = try WorkerThread(running: reactor)
            let began = Counter()
            sleeper = Task(executorPreference: reactor.thread) {
                began.add()
                return await reactor.sleep(until: .distantFuture)
            }
            await began.reaches(1)
            _ = consume thread
        }
        #expect(await sleeper.value == .cancelled)
    }

    @Test func participantsAndHandlersAreReleased() async throws {
        let ends = Counter()
        do {
            let reactor = try Reactor(thread: ReactorThread(index: 0))
            let thread = try WorkerThread(running: reactor)
            // Each of them holds a reference to its reactor.
            let owner = Owner(reactor: reactor, ends: ends)
            await reactor.add(owner)
            _ = await reactor.makeTimer { _ = owner }
            thread.stopAndJoin()
        }
        #expect(ends.count == 1)
    }

    private final class Owner: TurnParticipant {
        private let reactor: Reactor
        private let ends: Counter

        init(reactor: Reactor, ends: Counter) {
            self.reactor = reactor
            self.ends = ends
        }

        deinit {
            ends.add()
        }

        func takeTurn() -> UInt64 { .max }
    }

    @Test func anEndedThreadIsNotTheCurrentThread() async throws {
        // The C library reuses the identity of an ended thread for a new one.
        let first = try Reactor(thread: ReactorThread(index: 0))
        try WorkerThread(running: first).stopAndJoin()
        for _ in 0..<10 {
            let isTakenForTheFirst = try await withReactor { second in
                try await onThread(of: second) { first.thread.isCurrent }
            }
            #expect(!isTakenForTheFirst)
        }
    }
}
