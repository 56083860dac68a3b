import AccessPolicy
@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Testing

/// Permits, workers and denials, with real workers.
@Suite struct CheckServiceTests {
    private func withService<Result: Sendable>(
        queueLimit: Int, _ body: @escaping @Sendable (LocalCheckService, WorkerPool) async throws -> Result
    ) async throws -> Result {
        let pool = try WorkerPool(count: 2, admission: Admission(limit: 1, queueLimit: queueLimit))
        let threads = try pool.start()
        let service = LocalCheckService(pool, worker: 0, isBalanced: false)
        let task = Task(executorPreference: pool.workers[0].reactor.thread) { try await body(service, pool) }
        let result = await task.result
        threads.stopAndJoin()
        return try result.get()
    }

    private func check(_ endpoint: Endpoint) throws -> PreparedCheck {
        PreparedCheck(request: CheckRequest(target: try endpoint.target))
    }

    @Test func aCheckReturnsItsPermit() async throws {
        let peer = try LoopbackPeer.open()
        let check = try check(peer.endpoint)
        try await withService(queueLimit: 0) { service, pool in
            for _ in 0..<3 {
                let answer = await service.run(check, in: CheckContext(policy: nil), until: nil)
                #expect(answer.result(of: check)?.outcome == .connected)
                #expect(pool.admission.inFlight == 0)
            }
        }
    }

    @Test func withoutAPermitOrAQueueTheAnswerIsOverloaded() async throws {
        let peer = try LoopbackPeer.open()
        let check = try check(peer.endpoint)
        try await withService(queueLimit: 0) { service, pool in
            let permit = pool.admission.acquireAtOnce()
            let answer = await service.run(check, in: CheckContext(policy: nil), until: nil)
            _ = consume permit
            guard case .overloaded = answer else {
                Issue.record("not overloaded: \(answer)")
                return
            }
            #expect(answer.result(of: check) == nil)
        }
    }

    @Test func aDenialHasNoAttempts() async throws {
        let peer = try LoopbackPeer.open()
        let check = try check(peer.endpoint)
        try await withService(queueLimit: 0) { service, pool in
            let answer = await service.run(check, in: CheckContext(policy: Policy(profile: .public)), until: nil)
            let result = try #require(answer.result(of: check))
            #expect(result.outcome == .failed(.denied))
            #expect(result.attempts.isEmpty)
            #expect(pool.admission.inFlight == 0)
        }
    }

    @Test func theDeadlineShortensTheTimeout() async throws {
        let peer = try SilentPeer()
        let check = try check(peer.endpoint)
        try await withService(queueLimit: 0) { service, _ in
            let answer = await service.run(check, in: CheckContext(policy: nil), until: .after(60))
            let result = try #require(answer.result(of: check))
            #expect(result.outcome == .failed(.timeout))
            #expect(result.timings[.total] < 4_000_000_000)
        }
    }

    @Test func aDeadlineThatPassesInTheQueueCancels() async throws {
        let peer = try LoopbackPeer.open()
        let check = try check(peer.endpoint)
        try await withService(queueLimit: 1) { service, pool in
            let permit = pool.admission.acquireAtOnce()
            let waiting = Task(executorPreference: pool.workers[0].reactor.thread) {
                await service.run(check, in: CheckContext(policy: nil), until: .after(20))
            }
            try await Task.sleep(for: .milliseconds(60))
            _ = consume permit
            guard case .cancelled = await waiting.value else {
                Issue.record("the check ran")
                return
            }
            #expect(pool.admission.inFlight == 0)
        }
    }

    @Test func aBalancedServiceWithOneWorkerUsesItsThread() async throws {
        let peer = try LoopbackPeer.open()
        let check = try check(peer.endpoint)
        let pool = try WorkerPool(count: 1, admission: Admission(limit: 1, queueLimit: 0))
        let threads = try pool.start()
        let service = LocalCheckService(pool, worker: 0, isBalanced: true)
        let task = Task(executorPreference: pool.workers[0].reactor.thread) {
            await service.run(check, in: CheckContext(policy: nil), until: nil)
        }
        let result = await task.value.result(of: check)
        threads.stopAndJoin()
        #expect(result?.ok == true)
    }
}
