import CLinux
@testable import CheckEngine
import CheckModel
import Dialog
import ErrorCatalogue
import NetworkTypes
import SocketIO
import TestSupport
import Testing

/// Single attempts, over loopback.
@Suite struct ConnectAttemptTests {
    @Test func aSuccessfulConnectReportsBothAddresses() async throws {
        let peer = try LoopbackPeer.open()
        let request = CheckRequest(target: try peer.endpoint.target)
        let outcome = try await withAttempts { await $0.attempt(request, on: peer.endpoint) }
        #expect(outcome.result.outcome == .connected)
        #expect(outcome.result.phase == .done)
        #expect(outcome.result.peer.map(Endpoint.ip) == peer.endpoint)
        #expect(outcome.result.local != nil)
        #expect(outcome.result.tcpInformation != nil)
        #expect(outcome.phases.isEmpty)
    }

    @Test func aClosedPortIsRefused() async throws {
        let peer = try LoopbackPeer.closed()
        let request = CheckRequest(target: try peer.endpoint.target)
        let outcome = try await withAttempts { await $0.attempt(request, on: peer.endpoint) }
        #expect(outcome.result.outcome == .failed(.refused))
        #expect(outcome.result.phase == .connect)
        #expect(outcome.result.error?.name == "ECONNREFUSED")
    }

    @Test func aSilentPeerTimesOutAtTheDeadline() async throws {
        let peer = try SilentPeer()
        let request = CheckRequest(target: try peer.endpoint.target)
        let outcome = try await withAttempts { await $0.attempt(request, on: peer.endpoint, milliseconds: 60) }
        #expect(outcome.result.outcome == .failed(.timeout))
        #expect(outcome.result.error?.source == .deadline)
        #expect(outcome.result.durationNanoseconds >= 60_000_000)
    }

    @Test func cancellationEndsAnAttempt() async throws {
        let peer = try SilentPeer()
        let request = CheckRequest(target: try peer.endpoint.target)
        let outcome = try await withAttempts { fixture in
            let attempt = Task(executorPreference: fixture.reactor.thread) {
                await fixture.attempt(request, on: peer.endpoint)
            }
            try await Task.sleep(for: .milliseconds(50))
            attempt.cancel()
            return await attempt.value
        }
        #expect(outcome.result.outcome == .failed(.cancelled))
    }

    @Test func aForeignSourceAddressFailsInBind() async throws {
        let peer = try LoopbackPeer.open()
        var request = CheckRequest(target: try peer.endpoint.target)
        request.bind.address = .v4(IPv4Address(bits: 0xC000_0201))
        let outcome = try await withAttempts { [request] in await $0.attempt(request, on: peer.endpoint) }
        #expect(outcome.result.phase == .bind)
        #expect(outcome.result.error?.name == "EADDRNOTAVAIL")
    }

    @Test func optionsDefaultToTheRequest() throws {
        var request = CheckRequest(target: try Target(parsing: "127.0.0.1:1"))
        #expect(AttemptOptions(of: request).sourcePort == 0)
        #expect(AttemptOptions(of: request).ttl == nil)
        #expect(AttemptOptions(of: request).close == .fin)
        request.bind.port = 4711
        request.socket.ttl = 255
        request.socket.close = .rst
        #expect(AttemptOptions(of: request).sourcePort == 4711)
        #expect(AttemptOptions(of: request).ttl == 255)
        #expect(AttemptOptions(of: request).close == .rst)
    }

    /// glibc's malloc(3) reserves 8 bytes less than a multiple of 16, and an object has a header of 16 bytes.
    @Test func optionsCostNoMemory() {
        func usableBytes(_ size: Int) -> Int { (16 + size + 8 + 15) / 16 * 16 - 8 }
        let without = MemoryLayout<(AttemptPlan, Endpoint, MonotonicTime)>.size
        let with = MemoryLayout<(AttemptPlan, Endpoint, AttemptOptions, MonotonicTime)>.size
        #expect(usableBytes(with) == usableBytes(without))
    }

    @Test func anAttemptUsesItsOwnSourcePort() async throws {
        let peer = try LoopbackPeer.open()
        let request = CheckRequest(target: try peer.endpoint.target)
        // Closed before it is used: the kernel is unlikely to assign it in between.
        guard case .ip(let free) = try LoopbackPeer.closed().endpoint else { return }
        let outcome = try await withAttempts { fixture in
            let plan = fixture.plan(request)
            var options = AttemptOptions(of: request)
            options.sourcePort = free.port
            options.ttl = 1
            return await ConnectAttempt(
                plan: plan, endpoint: peer.endpoint, options: options, deadline: plan.deadline
            ).run()
        }
        #expect(outcome.result.outcome == .connected)
        #expect(outcome.result.local?.port == free.port)
    }

    @Test(arguments: [SocketOptions.Close.fin, .rst])
    func anAttemptUsesItsOwnCloseMode(_ close: SocketOptions.Close) async throws {
        let peer = try LoopbackPeer.open()
        let request = CheckRequest(target: try peer.endpoint.target)
        _ = try await withAttempts { fixture in
            let plan = fixture.plan(request)
            var options = AttemptOptions(of: request)
            options.close = close
            return await ConnectAttempt(
                plan: plan, endpoint: peer.endpoint, options: options, deadline: plan.deadline
            ).run()
        }
        #expect(peer.errnoOfFirstRead() == (close == .rst ? Errno(ECONNRESET) : nil))
    }

    @Test func aDialogHasItsOwnPhase() async throws {
        let server = DialogServer(.stream) { peer in peer.say("220 ready\r\n") }
        let steps = [DialogStep.expect(pattern: "^220 ")]
        var request = CheckRequest(target: try Target(parsing: "127.0.0.1:1"))
        request.dialog = steps
        let dialog = try Dialog(steps: steps)
        let endpoint = server.endpoint
        let outcome = try await withAttempts { [request] fixture in
            let plan = fixture.plan(request, dialog: dialog)
            return await ConnectAttempt(plan: plan, endpoint: endpoint, deadline: plan.deadline).run()
        }
        #expect(outcome.result.outcome == .connected)
        #expect(outcome.phases.map(\.phase) == [.dialog])
        let phase = try #require(outcome.outcome(of: .dialog))
        #expect(phase.nanoseconds > 0)
        guard case .dialog(let report) = phase.report else {
            Issue.record("the phase has no report of a dialog")
            return
        }
        #expect(report.steps.map(\.ok) == [true])
    }

    @Test func aHandshakeWithAPeerWithoutTLSFailsInTLS() async throws {
        let server = DialogServer(.stream) { peer in peer.say("220 not TLS at all\r\n") }
        var request = CheckRequest(target: try Target(parsing: "127.0.0.1:1"))
        request.tls = TLSOptions()
        let endpoint = server.endpoint
        let outcome = try await withAttempts { [request] in await $0.attempt(request, on: endpoint) }
        #expect(outcome.result.phase == .tls)
        #expect(outcome.result.error?.name == "TLS_NOT_TLS")
        #expect(outcome.phases.map(\.phase) == [.tls])
    }
}
