@testable import CheckEngine
import CheckModel
import Testing

@Suite struct DialogRejectTests {
    @Test func whatIsRejectedEndsTheDialogAtItsOwnStep() async throws {
        let held = try await hold([
            .send(text: "HELO\r\n"), .reject(pattern: #"^5\d\d (?<why>.*)$"#), .expect(pattern: "^250 "),
        ]) { peer in
            peer.hear(until: "\r\n")
            peer.say("554 go away\r\n")
        }
        #expect(held.ending == .rejected)
        #expect(held.report.failedStep == 1)
        #expect(held.report.steps.map(\.kind) == [.send, .reject])
        #expect(held.report.steps.map(\.ok) == [true, false])
        #expect(held.received[1] == "554 go away\r\n")
    }

    @Test func anExpectationThatIsMetDisarmsIt() async throws {
        let held = try await hold([
            .reject(pattern: "^5"), .expect(pattern: "^220 .*\n"), .expect(pattern: "^500 "),
        ]) { $0.say("220 hello\n500 later\n") }
        #expect(held.ending == .completed(heard: true))
        #expect(held.report.steps.map(\.ok) == [true, true, true])
        #expect(held.report.steps[0].received == nil)
    }

    @Test func ofAMatchAndARejectionTheFirstInTheStreamCounts() async throws {
        let rejected = try await hold([.reject(pattern: "no"), .expect(pattern: "yes")]) { $0.say("no yes") }
        #expect(rejected.ending == .rejected)
        let met = try await hold([.reject(pattern: "no"), .expect(pattern: "yes")]) { $0.say("yes no") }
        #expect(met.ending == .completed(heard: true))
    }

    @Test(arguments: [
        ("^.*\n", "down", "75%,maint,down\n"), ("^.*$", "down$", "75%,maint,down\r\n"), (".*", "down.*", "a,down,b\n"),
        ("^up.*", "down", "up 75%,down"), ("yes", "yes", "yes"), ("yes no", "no", "yes no"),
        ("^[^\n]*\n", #"maint(?=,)"#, "up,maint,drain\n"), ("ready$", "^not ready", "not ready\n"),
        ("(?s).*END", "^ERROR", "a\nERROR\nEND"),
    ])
    func aRejectSeesEveryByteUpToTheEndOfTheMatch(_ expect: String, _ reject: String, _ said: String) async throws {
        let steps = [DialogStep.reject(pattern: reject), .expect(pattern: expect)]
        let whole = try await hold(steps) { $0.say(said) }
        #expect(whole.ending == .rejected)
        let byByte = try await hold(steps) { peer in
            for byte in said.utf8 {
                peer.say([byte])
                peer.pause(milliseconds: 2)
            }
        }
        #expect(byByte.ending == .rejected)
    }

    @Test(arguments: [
        ("^OK", "ERROR", "OK\nERROR\n"), ("yes", "yes no", "yes no"), ("220", #"\b220\b"#, "2200\n"),
        ("up", "down", "updown"), ("^2..", "^.*no", "250 no"),
    ])
    func aRejectSeesNothingAfterTheEndOfTheMatch(_ expect: String, _ reject: String, _ said: String) async throws {
        let held = try await hold([.reject(pattern: reject), .expect(pattern: expect)]) { $0.say(said) }
        #expect(held.ending == .completed(heard: true))
    }

    @Test func aRejectSeesTheBytesOfAnExpectHexToo() async throws {
        let held = try await hold([.reject(pattern: #"\x00"#), .expectBytes([1, 0, 2])]) { $0.say([9, 1, 0, 2]) }
        #expect(held.ending == .rejected)
    }

    @Test func ofSeveralRejectsTheOneThatEndsWithinTheMatchCounts() async throws {
        let held = try await hold([
            .reject(pattern: "a[^z]*z"), .reject(pattern: "b"), .expect(pattern: "abc"),
        ]) { $0.say("abcxyz") }
        #expect(held.ending == .rejected)
        #expect(held.report.failedStep == 1)
    }

    @Test func aCaretOfARejectMatchesWhereTheLastMatchEnded() async throws {
        let held = try await hold([
            .expectBytes([1]), .reject(pattern: "^5"), .expect(pattern: "ok"),
        ]) { $0.say([1] + Array("554 not ok".utf8)) }
        #expect(held.ending == .rejected)
    }

    @Test func itIsSeenHoweverTheStreamIsCut() async throws {
        let held = try await hold([.reject(pattern: #"^5\d\d "#), .expect(pattern: "^250 ")]) { peer in
            for part in ["250-", "a\r\n5", "5", "4 ", "no\r\n"] {
                peer.say(part)
                peer.pause()
            }
            _ = peer.hear()
        }
        #expect(held.ending == .rejected)
        #expect(held.report.steps[0].received == Array("250-a\r\n554 ".utf8))
    }

    @Test func aRejectionAtTheLastByteCountsOnceThePeerIsQuiet() async throws {
        let held = try await hold([.reject(pattern: "^failed$"), .expect(pattern: "ok")]) { peer in
            peer.say("failed")
            _ = peer.hear()
        }
        #expect(held.ending == .rejected)
    }

    @Test func severalAreArmedAtOnce() async throws {
        let held = try await hold([
            .reject(pattern: "^4"), .reject(pattern: "^5"), .expectBytes(Array("250".utf8)),
        ]) { $0.say("550 no\r\n") }
        #expect(held.ending == .rejected)
        #expect(held.report.failedStep == 1)
        #expect(held.report.steps.map(\.ok) == [true, false])
    }

    @Test func whatAnEarlierStepHasMatchedIsNotRejected() async throws {
        let held = try await hold([
            .expect(pattern: "^500 one\n"), .reject(pattern: "^5"), .expect(pattern: "^2"),
        ]) { $0.say("500 one\n200 two\n") }
        #expect(held.ending == .completed(heard: true))
    }

    @Test func aRejectionIsSeenInADatagramToo() async throws {
        let held = try await holdByDatagrams([
            .send(text: "?"), .reject(pattern: "^no$"), .expect(pattern: "^yes$"),
        ]) { peer in
            peer.say("no")
        }
        #expect(held.ending == .rejected)
    }

    @Test func anExpensiveRejectionCostsNoMoreThanAnExpensiveExpectation() async throws {
        let held = try await hold([.reject(pattern: "(a+)+$"), .expect(pattern: "never")], milliseconds: 2000) { peer in
            peer.say(String(repeating: "a", count: 4000) + "b")
            _ = peer.hear()
        }
        #expect(held.ending == .mismatch(heard: true))
        #expect(held.report.failedStep == 1)
        #expect(held.report.steps[1].detail?.contains("reject of step 0") == true)
    }
}
