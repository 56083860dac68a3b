import Foundation
import NetworkTypes
import SocketIO
import Testing

/// Blocking work on separate threads.
@Suite struct BlockingThreadsTests {
    private func milliseconds(_ count: Int) -> MonotonicTime { Clock.now().advanced(byMilliseconds: count) }

    @Test func `work runs on another thread, and its value is returned`() async throws {
        let threads = try BlockingThreads(limit: 2)
        try await withReactor { reactor in
            let isElsewhere = try await onThread(of: reactor) {
                switch await threads.run(inGroup: 0, on: reactor, until: .distantFuture, { !reactor.thread.isCurrent })
                {
                case .finished(let isElsewhere): isElsewhere
                case .deadline, .neverBegan, .cancelled: false
                }
            }
            #expect(isElsewhere)
        }
    }

    @Test func `the wait for hanging work ends at the deadline, and other groups still get threads`() async throws {
        let threads = try BlockingThreads(limit: 4)
        try await withReactor { reactor in
            let endings = try await onThread(of: reactor) { [self] in
                await withTaskGroup(of: String.self) { group in
                    for _ in 0..<6 {
                        group.addTask { await hang(threads, on: reactor) }
                    }
                    var words: [String] = []
                    for await word in group { words.append(word) }
                    return words
                }
            }
            // A group may use two of the four threads, so the third job would leave none to other groups.
            #expect(endings.filter { $0 == "deadline" }.count == 2)
            #expect(endings.filter { $0 == "never began" }.count == 4)
            let other = try await onThread(of: reactor) { [self] in
                switch await threads.run(inGroup: 2, on: reactor, until: milliseconds(5000), { 7 }) {
                case .finished(let value): value
                case .deadline, .neverBegan, .cancelled: 0
                }
            }
            #expect(other == 7)
            #expect(threads.threadCount <= 4)
        }
    }

    @Test func `many groups that hang leave threads to groups that do not`() async throws {
        let threads = try BlockingThreads(limit: 8)
        try await withReactor { reactor in
            let (hanging, others) = try await onThread(of: reactor) { [self] in
                await withTaskGroup(of: String.self) { group in
                    for number in 0..<16 {
                        group.addTask { await hang(threads, on: reactor, inGroup: number % 8, mayHang: true) }
                    }
                    var others: [Bool] = []
                    for number in 100..<108 {
                        if case .finished = await threads.run(
                            inGroup: number, on: reactor, until: milliseconds(5000), {})
                        {
                            others.append(true)
                        }
                    }
                    let isEarly = others.count
                    var words: [String] = []
                    for await word in group { words.append(word) }
                    return (words, isEarly)
                }
            }
            // Each may have one of the eight threads, and all of them six.
            #expect(hanging.filter { $0 == "deadline" }.count == 6)
            #expect(hanging.filter { $0 == "never began" }.count == 10)
            #expect(others == 8)
        }
    }

    /// Blocks a thread for longer than the wait.
    private func hang(
        _ threads: BlockingThreads, on reactor: Reactor, inGroup group: Int = 1, mayHang: Bool = false
    ) async -> String {
        let until = milliseconds(300)
        let result = await threads.run(inGroup: group, mayHang: mayHang, on: reactor, until: until) {
            Thread.sleep(forTimeInterval: 1.5)
        }
        return switch result {
        case .finished: "finished"
        case .deadline: "deadline"
        case .neverBegan: "never began"
        case .cancelled: "cancelled"
        }
    }

    @Test func `a canceled wait ends before its work`() async throws {
        let threads = try BlockingThreads(limit: 1)
        try await withReactor { reactor in
            let task = Task(executorPreference: reactor.thread) {
                switch await threads.run(
                    inGroup: 0, on: reactor, until: .distantFuture, { Thread.sleep(forTimeInterval: 0.5) })
                {
                case .cancelled: true
                case .finished, .deadline, .neverBegan: false
                }
            }
            task.cancel()
            #expect(await task.value)
        }
    }
}
