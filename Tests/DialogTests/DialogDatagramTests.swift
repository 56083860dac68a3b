import CheckModel
@testable import Dialog
import NetworkTypes
import TestSupport
import Testing

@Suite struct DialogDatagramTests {
    @Test func aDatagramIsAnswered() async throws {
        let run = try await runDatagramDialog([.send(text: "ping"), .expect(pattern: "^(?<answer>.*)$")]) { peer in
            peer.say(peer.hear())
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.group("answer") == "ping")
    }

    @Test func eachSendIsOneDatagramAndCanBeEmpty() async throws {
        let run = try await runDatagramDialog([
            .send(text: ""), .sendBytes([1, 2]), .send(text: "end"), .expect(pattern: #"0 2 3\z"#),
        ]) { peer in
            let lengths = [peer.hear().count, peer.hear().count, peer.hear().count]
            peer.say("\(lengths[0]) \(lengths[1])")
            peer.say(" \(lengths[2])")
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.steps.map(\.bytes) == [0, 2, 3, 5])
    }

    @Test func anEmptyDatagramIsAnAnswer() async throws {
        let run = try await runDatagramDialog([.send(text: "x"), .expect(pattern: "^$")]) { $0.say([UInt8]()) }
        #expect(run.outcome == .completed(hasReceived: true))
        let other = try await runDatagramDialog([.send(text: "x"), .expect(pattern: "y")], milliseconds: 60) {
            $0.say([UInt8]())
        }
        #expect(other.outcome == .mismatch(hasReceived: true))
    }

    @Test func silenceIsUnheard() async throws {
        let run = try await runDatagramDialog([.send(text: "x"), .expect(pattern: ".*")], milliseconds: 60) {
            $0.pause(milliseconds: 90)
        }
        #expect(run.outcome == .mismatch(hasReceived: false))
        #expect(run.report.failedStep == 1)
    }

    @Test func aRefusalIsItsErrno() async throws {
        let closed = DialogServer.endpoint(port: DialogServer.closedDatagramPort())
        let run = try await runDialog([.send(text: "x"), .expect(pattern: ".*")], with: closed, isDatagram: true)
        #expect(run.outcome == .failed(Errno(111)))
        #expect(run.report.failedStep == 1)
    }

    @Test func aDialogThatExpectsNothingIsOverAtOnce() async throws {
        let closed = DialogServer.endpoint(port: DialogServer.closedDatagramPort())
        let run = try await runDialog([.send(text: "x")], with: closed, isDatagram: true)
        #expect(run.outcome == .completed(hasReceived: false))
    }

    @Test func anOversizedDatagramIsItsErrno() async throws {
        let run = try await runDialog(
            [.sendBytes([UInt8](repeating: 0, count: 65536))],
            with: DialogServer.endpoint(port: DialogServer.closedDatagramPort()), isDatagram: true)
        #expect(run.outcome == .failed(Errno(90)))
    }
}
