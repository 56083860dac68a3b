import AccessPolicy
@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Testing

/// Checks of TCP and UDP targets, over loopback.
@Suite struct InternetCheckTests {
    private func result(of request: CheckRequest, policy: Policy? = nil) async throws -> CheckResult {
        try await withAttempts { fixture in
            let draft = ResultDraft(plan: fixture.plan(request, policy: policy), queueNanoseconds: 7)
            try await InternetCheck(draft: draft, resolver: fixture.resolver).run()
            return draft.finished()
        }
    }

    @Test func anAddressIsUsedWithoutResolving() async throws {
        let peer = try LoopbackPeer.open()
        let result = try await result(of: CheckRequest(target: try peer.endpoint.target))
        #expect(result.ok)
        #expect(result.resolution?.source == .literal)
        #expect(result.attempts.count == 1)
        #expect(result.timings[.queue] == 7)
        #expect(result.timings[.connect] > 0)
        #expect(result.timings[.tls] == 0)
        #expect(result.timings[.total] >= result.timings[.connect] + 7)
        #expect(result.reports.isEmpty)
    }

    @Test func localhostIsResolvedWithoutANameServer() async throws {
        let peer = try LoopbackPeer.open()
        guard case .ip(let endpoint) = peer.endpoint else { return }
        var request = CheckRequest(target: try Target(parsing: "localhost:\(endpoint.port)"))
        request.resolve.family = .ipv4
        let result = try await result(of: request)
        #expect(result.outcome == .connected)
        #expect(result.resolution?.name == "localhost")
    }

    @Test func anAddressOfTheOtherFamilyFailsInResolve() async throws {
        var request = CheckRequest(target: try Target(parsing: "127.0.0.1:1"))
        request.resolve.family = .ipv6
        let result = try await result(of: request)
        #expect(result.phase == .resolve)
        #expect(result.attempts.isEmpty)
    }

    @Test func portZeroIsNeverConnectedTo() async throws {
        let target = Target(peer: .tcp(.address(.v4(IPv4Address(bits: 0x7F00_0001))), port: 0), text: "127.0.0.1:0")
        let result = try await result(of: CheckRequest(target: target))
        #expect(result.outcome == .failed(.invalid))
        #expect(result.phase == .policy)
        #expect(result.attempts.isEmpty)
    }

    @Test func aDeniedTargetGetsNoAttempt() async throws {
        let peer = try LoopbackPeer.open()
        let request = CheckRequest(target: try peer.endpoint.target)
        await #expect(throws: DenialReason.self) {
            try await result(of: request, policy: Policy(profile: .public))
        }
    }
}
