@testable import CheckEngine
import CheckModel
import NetworkTypes
import Testing

@Suite struct DialogDatagramTests {
    @Test func aDatagramIsAnswered() async throws {
        let held = try await holdByDatagrams([.send(text: "ping"), .expect(pattern: "^(?<answer>.*)$")]) { peer in
            peer.say(peer.hear())
        }
        #expect(held.ending == .completed(heard: true))
        #expect(held.group("answer") == "ping")
    }

    @Test func eachSendIsOneDatagramAndCanBeEmpty() async throws {
        let held = try await holdByDatagrams([
            .send(text: ""), .sendBytes([1, 2]), .send(text: "end"), .expect(pattern: #"0 2 3\z"#),
        ]) { peer in
            let lengths = [peer.hear().count, peer.hear().count, peer.hear().count]
            peer.say("\(lengths[0]) \(lengths[1])")
            peer.say(" \(lengths[2])")
        }
        #expect(held.ending == .completed(heard: true))
        #expect(held.report.steps.map(\.bytes) == [0, 2, 3, 5])
    }

    @Test func anEmptyDatagramIsAnAnswer() async throws {
        let held = try await holdByDatagrams([.send(text: "x"), .expect(pattern: "^$")]) { $0.say([UInt8]()) }
        #expect(held.ending == .completed(heard: true))
        let other = try await holdByDatagrams([.send(text: "x"), .expect(pattern: "y")], milliseconds: 60) {
            $0.say([UInt8]())
        }
        #expect(other.ending == .mismatch(heard: true))
    }

    @Test func silenceIsUnheard() async throws {
        let held = try await holdByDatagrams([.send(text: "x"), .expect(pattern: ".*")], milliseconds: 60) {
            $0.pause(milliseconds: 90)
        }
        #expect(held.ending == .mismatch(heard: false))
        #expect(held.report.failedStep == 1)
    }

    @Test func aRefusalIsItsErrno() async throws {
        let closed = DialogServer.endpoint(port: DialogServer.closedDatagramPort())
        let held = try await hold([.send(text: "x"), .expect(pattern: ".*")], with: closed, isDatagram: true)
        #expect(held.ending == .failed(Errno(111)))
        #expect(held.report.failedStep == 1)
    }

    @Test func aDialogThatExpectsNothingIsOverAtOnce() async throws {
        let closed = DialogServer.endpoint(port: DialogServer.closedDatagramPort())
        let held = try await hold([.send(text: "x")], with: closed, isDatagram: true)
        #expect(held.ending == .completed(heard: false))
    }

    @Test func anOversizedDatagramIsItsErrno() async throws {
        let held = try await hold(
            [.sendBytes([UInt8](repeating: 0, count: 65536))],
            with: DialogServer.endpoint(port: DialogServer.closedDatagramPort()), isDatagram: true)
        #expect(held.ending == .failed(Errno(90)))
    }
}
