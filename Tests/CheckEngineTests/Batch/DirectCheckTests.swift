import AccessPolicy
@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Synchronization
import TestSupport
import Testing

/// A check without a task has the result of one with a task.
@Suite struct DirectCheckTests {
    private final class Owner: DirectCheck.Owner, Sendable {
        let answers = Mutex<[CheckAnswer]>([])

        func ended(_ check: DirectCheck, with answer: CheckAnswer) { answers.withLock { $0.append(answer) } }
    }

    /// What of an answer does not change from run to run.
    private func facts(_ answer: CheckAnswer?) -> [String] {
        guard case .result(let result) = answer else { return ["\(String(describing: answer))"] }
        let attempts = result.attempts.map { attempt in
            """
            \(attempt.endpoint) \(attempt.outcome) \(attempt.phase) \(attempt.error?.name ?? "") \
            \(String(describing: attempt.peer)) \(attempt.local != nil) \(attempt.tcpInformation != nil)
            """
        }
        let resolution = "\(String(describing: result.resolution))"
        return ["\(result.ok) \(result.outcome) \(result.phase) \(result.error?.name ?? "")", resolution] + attempts
    }

    private func withWorker<Value: Sendable>(_ body: @escaping @Sendable (Worker) async -> Value) async throws -> Value
    {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: 4, queueLimit: 0))
        let threads = try pool.start()
        let worker = pool.workers[0]
        let value = await Task(executorPreference: worker.reactor.thread) { await body(worker) }.value
        threads.stopAndJoin()
        return value
    }

    /// The answers of the same check in both ways.
    private func answers(to request: CheckRequest, policy: Policy? = nil) async throws -> (CheckAnswer?, CheckAnswer) {
        let check = PreparedCheck(request: request)
        let context = CheckContext(policy: policy)
        let owner = Owner()
        return try await withWorker { worker in
            let direct = worker.runner.direct(check, number: 7, in: context, for: owner)
            var answer = direct?.start(isCancelled: false)
            while direct != nil, answer == nil {
                _ = await worker.reactor.sleep(until: Clock.now().advanced(byMilliseconds: 1))
                answer = owner.answers.withLock { $0.first }
            }
            return (answer, await worker.runner.run(check, in: context, queueNanoseconds: 0))
        }
    }

    private func expectTheSame(_ request: CheckRequest, policy: Policy? = nil) async throws {
        let (direct, usual) = try await answers(to: request, policy: policy)
        #expect(facts(direct) == facts(usual))
    }

    private func request(_ endpoint: Endpoint, milliseconds: Int = 5000) throws -> CheckRequest {
        CheckRequest(target: try endpoint.target, timeoutMilliseconds: milliseconds)
    }

    @Test func anOpenPort() async throws {
        let peer = try LoopbackPeer.open()
        let (direct, usual) = try await answers(to: try request(peer.endpoint))
        #expect(facts(direct) == facts(usual) && facts(direct).first?.hasPrefix("true connected done") == true)
    }

    @Test func aClosedPort() async throws {
        try await expectTheSame(try request(LoopbackPeer.closed().endpoint))
    }

    @Test func aSilentPeer() async throws {
        let silent = try SilentPeer()
        try await expectTheSame(try request(silent.endpoint, milliseconds: 60))
    }

    @Test(arguments: ["udp://127.0.0.1:9", "tcp://[ff02::1]:9", "udp://[::1]:9"])
    func others(target: String) async throws {
        try await expectTheSame(CheckRequest(target: try Target(parsing: target), timeoutMilliseconds: 100))
    }

    @Test func aFamilyThatIsNotAllowed() async throws {
        var request = CheckRequest(target: try Target(parsing: "tcp://127.0.0.1:9"))
        request.resolve.family = .ipv6
        try await expectTheSame(request)
    }

    @Test func aSourceAddressOfAnotherMachine() async throws {
        let peer = try LoopbackPeer.open()
        var request = try request(peer.endpoint)
        request.bind.address = .v4(IPv4Address(bits: 0xC000_0201))
        try await expectTheSame(request)
    }

    @Test(arguments: [Policy.Profile.rules, .public])
    func aDeniedAddress(profile: Policy.Profile) async throws {
        let request = CheckRequest(target: try Target(parsing: "tcp://127.0.0.1:9"))
        let (direct, usual) = try await answers(to: request, policy: Policy(profile: profile))
        #expect(facts(direct) == facts(usual))
        guard case .denied = direct else { return #expect(Bool(false), "it was not denied") }
    }

    @Test func aCancelledCheck() async throws {
        let silent = try SilentPeer()
        let check = PreparedCheck(request: try request(silent.endpoint))
        let owner = Owner()
        let late = try await withWorker { worker -> CheckAnswer? in
            let context = CheckContext(policy: nil)
            guard let direct = worker.runner.direct(check, number: 0, in: context, for: owner) else { return nil }
            _ = direct.start(isCancelled: false)
            direct.cancel()
            direct.cancel()
            return worker.runner.direct(check, number: 1, in: context, for: owner)?.start(isCancelled: true)
        }
        #expect(facts(late).first == "false failed(ErrorCatalogue.ErrorClass.cancelled) connect CANCELLED")
        let ended = owner.answers.withLock { $0 }
        #expect(ended.count == 1 && facts(ended.first).first == facts(late).first)
    }

    @Test(arguments: ["tls://127.0.0.1:9", "tcp://localhost:9", "unix:/run/x.sock"])
    func checksThatWaitForMoreNeedATask(target: String) async throws {
        let check = PreparedCheck(request: CheckRequest(target: try Target(parsing: target)))
        let isDirect = try await withWorker {
            $0.runner.direct(check, number: 0, in: CheckContext(policy: nil), for: Owner()) != nil
        }
        #expect(!isDirect)
    }
}
