import CheckModel
@testable import Dialog
import ErrorCatalogue
import NetworkTypes
import SocketIO
import TestSupport
import Testing

/// A `starttls` step with a TLS that inverts each byte, so that a test sees what went through it.
@Suite struct DialogTLSTests {
    private final class InvertingTLS: DialogTLS {
        private(set) var isEstablished = false
        private let outcome: TLSHandshakeOutcome

        init(_ outcome: TLSHandshakeOutcome) {
            self.outcome = outcome
        }

        /// Sends "hello", as the handshake of a real one would.
        func start(on socket: SocketStream) async -> TLSHandshakeOutcome {
            guard (try? await socket.send(Array("hello".utf8))) != nil else { return .deadline }
            isEstablished = outcome == .completed
            return outcome
        }

        func receive(from socket: SocketStream, atMost capacity: Int) throws(TLSTransferError) -> [UInt8] {
            do throws(Errno) {
                return try socket.receiveNow(atMost: capacity).map { ~$0 }
            } catch {
                throw .kernel(error)
            }
        }

        func send(_ bytes: ArraySlice<UInt8>, on socket: SocketStream) throws(TLSTransferError) -> Int {
            do throws(Errno) {
                return try socket.sendNow(bytes.map { ~$0 }[...])
            } catch {
                throw .kernel(error)
            }
        }
    }

    private let steps: [DialogStep] = [
        .expect(pattern: "^220 "), .startTLS, .send(text: "EHLO"), .expect(pattern: "^250 ok"),
    ]

    private static func inverted(_ text: String) -> [UInt8] { text.utf8.map { ~$0 } }

    @Test func `bytes go through TLS after its step, and before it they do not`() async throws {
        let run = try await runDialog(steps, tls: { InvertingTLS(.completed) }) { peer in
            peer.say("220 go ahead\r\n")
            // They may arrive together.
            let expected = Array("hello".utf8) + Self.inverted("EHLO")
            var received: [UInt8] = []
            while received.count < expected.count, case let bytes = peer.hear(), !bytes.isEmpty { received += bytes }
            #expect(received == expected)
            peer.say(Self.inverted("250 ok\r\n"))
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.steps.map(\.ok) == [true, true, true, true])
    }

    @Test func `TLS does not start if bytes follow the go-ahead`() async throws {
        let run = try await runDialog(steps, tls: { InvertingTLS(.completed) }) { peer in
            peer.say("220 go ahead\r\n250 ok\r\n")
            #expect(peer.hear() == [])
        }
        guard case .handshake(.failed(let failure)) = run.outcome else {
            Issue.record("\(run.outcome)")
            return
        }
        #expect(failure.name == .protocolViolation)
        #expect(failure.received == Array("250 ok\r\n".utf8))
        #expect(run.report.failedStep == 1)
    }

    @Test(arguments: [TLSHandshakeOutcome.deadline, .failed(TLSHandshakeFailure(.notTLS))])
    func `a failed handshake ends the dialog with its outcome`(outcome: TLSHandshakeOutcome) async throws {
        let run = try await runDialog(steps, tls: { InvertingTLS(outcome) }) { peer in
            peer.say("220 go ahead\r\n")
            #expect(peer.hear(until: "hello") == "hello")
            #expect(peer.hear() == [])
        }
        #expect(run.outcome == .handshake(outcome))
        #expect(run.report.failedStep == 1)
    }

    @Test func `an expected alert ends the dialog without a failed step`() async throws {
        let run = try await runDialog(steps, tls: { InvertingTLS(.expectedAlert) }) { peer in
            peer.say("220 go ahead\r\n")
            #expect(peer.hear(until: "hello") == "hello")
        }
        #expect(run.outcome == .handshake(.expectedAlert))
        #expect(run.report.failedStep == nil)
    }
}
