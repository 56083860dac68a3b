import CLinux
import Foundation
import NetworkTypes
import SocketIO
import Synchronization
import Testing

/// Handlers, timers and participants that call their reactor.
@Suite struct CallbackTests {
    /// An object whose deinit calls back, as an actor's helper may do.
    private final class CallsBackInDeinit: Sendable {
        let reactor: Reactor
        let report: @Sendable () -> Void

        init(reactor: Reactor, report: @escaping @Sendable () -> Void) {
            self.reactor = reactor
            self.report = report
        }

        deinit {
            reactor.assumeIsolated { $0.remove($0.makeTimer {}) }
            report()
        }
    }

    @Test func aHandlerCanRemoveItsOwnWatchAndItsDeinitCanCallTheReactor() async throws {
        try await withReactor { reactor in
            let pipe = try Pipe()
            let (reader, calls, ends) = (pipe.reader, Counter(), Counter())
            try await onThread(of: reactor) {
                let place = Mutex<SlotToken?>(nil)
                let shared = Shared(place)
                let object = CallsBackInDeinit(reactor: reactor) { ends.add() }
                let token = try await reactor.watch(reader, for: .readable, edgeTriggered: false) { _ in
                    _ = object
                    calls.add()
                    guard let token = shared.value.withLock({ $0 }) else { return }
                    reactor.assumeIsolated { $0.unwatch(token, reader) }
                }
                shared.value.withLock { $0 = token }
            }
            pipe.write()
            await turns(of: reactor)
            #expect(calls.count == 1)
            #expect(ends.count == 1)
        }
    }

    @Test func theDeinitOfARemovedHandlerCanCallTheReactor() async throws {
        try await withReactor { reactor in
            let ends = Counter()
            let timer = await Self.timerThatCallsBackInDeinit(of: reactor) { ends.add() }
            #expect(ends.count == 0)
            await reactor.remove(timer)
            #expect(ends.count == 1)
        }
    }

    /// The reactor has the only reference to the handler.
    private static func timerThatCallsBackInDeinit(
        of reactor: Reactor, report: @escaping @Sendable () -> Void
    ) async -> SlotToken {
        let object = CallsBackInDeinit(reactor: reactor, report: report)
        return await reactor.makeTimer { _ = object }
    }

    @Test func handlersOfOneTurnCanRemoveEachOthersWatches() async throws {
        try await withReactor { reactor in
            let pipes = try (0..<50).map { _ in try Pipe() }
            let calls = Counter()
            try await onThread(of: reactor) {
                let tokens = Shared(Mutex<[(SlotToken, Int32)]>([]))
                for pipe in pipes {
                    let reader = pipe.reader
                    let token = try await reactor.watch(reader, for: .readable, edgeTriggered: false) { _ in
                        calls.add()
                        let all = tokens.value.withLock { $0 }
                        reactor.assumeIsolated { reactor in
                            for (token, number) in all { reactor.unwatch(token, number) }
                            // Their slots are reused at once. The remaining events of this turn are not for the new
                            // owners.
                            for _ in all { _ = reactor.makeTimer { calls.add() } }
                        }
                    }
                    tokens.value.withLock { $0.append((token, reader)) }
                }
                for pipe in pipes { pipe.write() }
            }
            await turns(of: reactor)
            #expect(calls.count == 1)
        }
    }

    @Test func aTimerThatItsHandlerRearmsInThePastDoesNotStarveSockets() async throws {
        try await withReactor { reactor in
            let calls = Counter()
            let place = Shared(Mutex<SlotToken?>(nil))
            let timer = await reactor.makeTimer {
                calls.add()
                guard let timer = place.value.withLock({ $0 }) else { return }
                reactor.assumeIsolated { $0.arm(timer, at: MonotonicTime(nanoseconds: 1)) }
            }
            place.value.withLock { $0 = timer }
            await reactor.arm(timer, at: MonotonicTime(nanoseconds: 1))
            let pipe = try Pipe()
            let reader = pipe.reader
            pipe.write()
            let outcome = try await onThread(of: reactor) {
                let token = try await reactor.add(reader, for: .readable)
                let outcome = await reactor.wait(token, for: .readable, until: .distantFuture)
                await reactor.remove(token)
                return outcome
            }
            #expect(outcome == .ready)
            await reactor.remove(timer)
            let count = calls.count
            await turns(of: reactor)
            #expect(calls.count == count)
            #expect(count > 0)
        }
    }

    @Test func aTokenRemovedTwiceDoesNotAffectTheNextOwner() async throws {
        try await withReactor { reactor in
            let calls = Counter()
            let old = await reactor.makeTimer {}
            await reactor.remove(old)
            let new = await reactor.makeTimer { calls.add() }
            await reactor.arm(new, at: MonotonicTime(nanoseconds: 1))
            await reactor.remove(old)
            await reactor.arm(old, at: nil)
            await turns(of: reactor)
            #expect(calls.count == 1)
        }
    }

    @Test func aRemovedWatchDoesNotAffectTheNextDescriptorOfTheSameNumber() async throws {
        try await withReactor { reactor in
            let (calls, pipe) = (Counter(), try Pipe())
            let reader = pipe.reader
            let old = try await reactor.watch(reader, for: .readable, edgeTriggered: false) { _ in }
            await reactor.unwatch(old, reader)
            let new = try await reactor.watch(reader, for: .readable, edgeTriggered: true) { _ in calls.add() }
            await reactor.unwatch(old, reader)
            await #expect(throws: Errno(ENOENT)) { try await reactor.modify(old, reader, for: []) }
            pipe.write()
            await turns(of: reactor)
            #expect(calls.count == 1)
            await reactor.unwatch(new, reader)
        }
    }

    @Test func watchingADescriptorTwiceFailsWithEEXISTAndKeepsTheFirstWatch() async throws {
        try await withReactor { reactor in
            let (calls, pipe) = (Counter(), try Pipe())
            let reader = pipe.reader
            let watch = try await reactor.watch(reader, for: .readable, edgeTriggered: true) { _ in calls.add() }
            for _ in 0..<3 {
                await #expect(throws: Errno(EEXIST)) { try await reactor.add(reader, for: .readable) }
            }
            await #expect(throws: Errno(EBADF)) { try await reactor.add(-1, for: .readable) }
            pipe.write()
            await turns(of: reactor)
            #expect(calls.count == 1)
            await reactor.unwatch(watch, reader)
        }
    }

    @Test func aParticipantAddedByAnotherGetsItsTurnBeforeTheLoopSleeps() async throws {
        try await withReactor { reactor in
            let turns = Counter()
            await reactor.add(Adder(reactor: reactor, turns: turns))
            await turns.reaches(1)
        }
    }

    /// Adds one participant in its first turn, and counts the turns of that one.
    private final class Adder: TurnParticipant {
        private struct Added: TurnParticipant {
            let turns: Counter

            func takeTurn() -> UInt64 {
                turns.add()
                return .max
            }
        }

        private let reactor: Reactor
        private let turns: Counter
        private let hasAdded = Atomic<Bool>(false)

        init(reactor: Reactor, turns: Counter) {
            self.reactor = reactor
            self.turns = turns
        }

        func takeTurn() -> UInt64 {
            if !hasAdded.exchange(true, ordering: .relaxed) {
                reactor.assumeIsolated { $0.add(Added(turns: turns)) }
            }
            return .max
        }
    }
}
