import CheckModel
@testable import Dialog
import TestSupport
import Testing

@Suite struct DialogRejectTests {
    @Test func whatIsRejectedEndsTheDialogAtItsOwnStep() async throws {
        let run = try await runDialog([
            .send(text: "HELO\r\n"), .reject(pattern: #"^5\d\d (?<why>.*)$"#), .expect(pattern: "^250 "),
        ]) { peer in
            peer.hear(until: "\r\n")
            peer.say("554 go away\r\n")
        }
        #expect(run.outcome == .rejected)
        #expect(run.report.failedStep == 1)
        #expect(run.report.steps.map(\.kind) == [.send, .reject])
        #expect(run.report.steps.map(\.ok) == [true, false])
        #expect(run.received[1] == "554 go away\r\n")
    }

    @Test func anExpectationThatIsMetDisarmsIt() async throws {
        let run = try await runDialog([
            .reject(pattern: "^5"), .expect(pattern: "^220 .*\n"), .expect(pattern: "^500 "),
        ]) { $0.say("220 hello\n500 later\n") }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.steps.map(\.ok) == [true, true, true])
        #expect(run.report.steps[0].received == nil)
    }

    @Test func ofAMatchAndARejectionTheFirstInTheStreamCounts() async throws {
        let rejected = try await runDialog([.reject(pattern: "no"), .expect(pattern: "yes")]) { $0.say("no yes") }
        #expect(rejected.outcome == .rejected)
        let met = try await runDialog([.reject(pattern: "no"), .expect(pattern: "yes")]) { $0.say("yes no") }
        #expect(met.outcome == .completed(hasReceived: true))
    }

    @Test(arguments: [
        ("^.*\n", "down", "75%,maint,down\n"), ("^.*$", "down$", "75%,maint,down\r\n"), (".*", "down.*", "a,down,b\n"),
        ("^up.*", "down", "up 75%,down"), ("yes", "yes", "yes"), ("yes no", "no", "yes no"),
        ("^[^\n]*\n", #"maint(?=,)"#, "up,maint,drain\n"), ("ready$", "^not ready", "not ready\n"),
        ("(?s).*END", "^ERROR", "a\nERROR\nEND"),
    ])
    func aRejectSeesEveryByteUpToTheEndOfTheMatch(_ expect: String, _ reject: String, _ said: String) async throws {
        let steps = [DialogStep.reject(pattern: reject), .expect(pattern: expect)]
        let whole = try await runDialog(steps) { $0.say(said) }
        #expect(whole.outcome == .rejected)
        let byByte = try await runDialog(steps) { peer in
            for byte in said.utf8 {
                peer.say([byte])
                peer.pause(milliseconds: 2)
            }
        }
        #expect(byByte.outcome == .rejected)
    }

    @Test(arguments: [
        ("^OK", "ERROR", "OK\nERROR\n"), ("yes", "yes no", "yes no"), ("220", #"\b220\b"#, "2200\n"),
        ("up", "down", "updown"), ("^2..", "^.*no", "250 no"),
    ])
    func aRejectSeesNothingAfterTheEndOfTheMatch(_ expect: String, _ reject: String, _ said: String) async throws {
        let run = try await runDialog([.reject(pattern: reject), .expect(pattern: expect)]) { $0.say(said) }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func aRejectSeesTheBytesOfAnExpectHexToo() async throws {
        let run = try await runDialog([.reject(pattern: #"\x00"#), .expectBytes([1, 0, 2])]) { $0.say([9, 1, 0, 2]) }
        #expect(run.outcome == .rejected)
    }

    @Test func ofSeveralRejectsTheOneThatEndsWithinTheMatchCounts() async throws {
        let run = try await runDialog([
            .reject(pattern: "a[^z]*z"), .reject(pattern: "b"), .expect(pattern: "abc"),
        ]) { $0.say("abcxyz") }
        #expect(run.outcome == .rejected)
        #expect(run.report.failedStep == 1)
    }

    @Test func aCaretOfARejectMatchesWhereTheLastMatchEnded() async throws {
        let run = try await runDialog([
            .expectBytes([1]), .reject(pattern: "^5"), .expect(pattern: "ok"),
        ]) { $0.say([1] + Array("554 not ok".utf8)) }
        #expect(run.outcome == .rejected)
    }

    @Test func itIsSeenHoweverTheStreamIsCut() async throws {
        let run = try await runDialog([.reject(pattern: #"^5\d\d "#), .expect(pattern: "^250 ")]) { peer in
            for part in ["250-", "a\r\n5", "5", "4 ", "no\r\n"] {
                peer.say(part)
                peer.pause()
            }
            _ = peer.hear()
        }
        #expect(run.outcome == .rejected)
        #expect(run.report.steps[0].received == Array("250-a\r\n554 ".utf8))
    }

    @Test func aRejectionAtTheLastByteCountsOnceThePeerIsQuiet() async throws {
        let run = try await runDialog([.reject(pattern: "^failed$"), .expect(pattern: "ok")]) { peer in
            peer.say("failed")
            _ = peer.hear()
        }
        #expect(run.outcome == .rejected)
    }

    @Test func severalAreArmedAtOnce() async throws {
        let run = try await runDialog([
            .reject(pattern: "^4"), .reject(pattern: "^5"), .expectBytes(Array("250".utf8)),
        ]) { $0.say("550 no\r\n") }
        #expect(run.outcome == .rejected)
        #expect(run.report.failedStep == 1)
        #expect(run.report.steps.map(\.ok) == [true, false])
    }

    @Test func whatAnEarlierStepHasMatchedIsNotRejected() async throws {
        let run = try await runDialog([
            .expect(pattern: "^500 one\n"), .reject(pattern: "^5"), .expect(pattern: "^2"),
        ]) { $0.say("500 one\n200 two\n") }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func aRejectionIsSeenInADatagramToo() async throws {
        let run = try await runDatagramDialog([
            .send(text: "?"), .reject(pattern: "^no$"), .expect(pattern: "^yes$"),
        ]) { peer in
            peer.say("no")
        }
        #expect(run.outcome == .rejected)
    }

    @Test func anExpensiveRejectionCostsNoMoreThanAnExpensiveExpectation() async throws {
        let run = try await runDialog([.reject(pattern: "(a+)+$"), .expect(pattern: "never")], milliseconds: 2000) {
            peer in
            peer.say(String(repeating: "a", count: 4000) + "b")
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
        #expect(run.report.failedStep == 1)
        #expect(run.report.steps[1].detail?.contains("reject of step 0") == true)
    }
}
