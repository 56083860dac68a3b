import CheckModel
@testable import Dialog
import NetworkTypes
import TestSupport
import Testing

@Suite struct DialogStreamTests {
    @Test func aMailServersGreetingIsExpectedAndAnswered() async throws {
        let run = try await runDialog([
            .expect(pattern: #"^220 (?<name>\S+)"#), .send(text: "EHLO me\r\n"),
            .expect(pattern: #"^250 (?<last>.*)$"#),
        ]) { peer in
            peer.say("220 mail.example ESMTP\r\n")
            #expect(peer.hear(until: "\r\n") == "EHLO me\r\n")
            peer.say("250-PIPELINING\r\n250 HELP me\r\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.failedStep == nil)
        #expect(run.report.steps.map(\.kind) == [.expect, .send, .expect])
        #expect(run.report.steps.map(\.ok) == [true, true, true])
        #expect(run.report.steps.map(\.bytes) == [24, 9, 29])
        #expect(run.received == ["220 mail.example ESMTP\r\n", "", "250-PIPELINING\r\n250 HELP me\r\n"])
        #expect(run.report.steps[1].received == nil)
        #expect(run.group("name") == "mail.example")
        #expect(run.group("last") == "HELP me")
        #expect(run.report.steps.allSatisfy { $0.durationNanoseconds >= 0 })
    }

    @Test func aMatchIsTheSameHoweverTheStreamIsCut() async throws {
        let run = try await runDialog([.expect(pattern: #"^220 (?<name>\S+) (?<rest>.*)\r\n"#)]) { peer in
            for part in ["2", "20 ma", "il.exam", "ple ES", "MTP", "\r", "\n"] {
                peer.say(part)
                peer.pause()
            }
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.group("name") == "mail.example")
        #expect(run.group("rest") == "ESMTP")
    }

    @Test func eachExpectLooksBehindThePreviousMatch() async throws {
        let run = try await runDialog([
            .expect(pattern: #"(?<first>\d+)\n"#), .expect(pattern: #"(?<second>\d+)\n"#),
            .expectBytes(Array("3\n".utf8)), .expect(pattern: #"(?<fourth>\d+)\n"#),
        ]) { $0.say("1\n2\n3\n4\n") }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.groups.map(\.value) == ["1", "2", "4"])
        #expect(run.report.steps.map(\.bytes) == [8, 0, 0, 0])
    }

    @Test func aCaretMatchesWhereTheLastMatchEnded() async throws {
        let run = try await runDialog([.expect(pattern: "220"), .expect(pattern: "^ (?<word>.)")]) {
            $0.say("220 a\r\n b\r\n")
        }
        #expect(run.group("word") == "a")
    }

    @Test(arguments: ["^OK", #"\AOK"#, #"\GOK"#, "^(?<all>OK)$", "(?:^|x)OK", #"^\QOK\E"#])
    func anAnchorMatchesInTheStepAfterBytes(_ pattern: String) async throws {
        let steps = [DialogStep.expectBytes([0, 1]), .expect(pattern: pattern)]
        let whole = try await runDialog(steps) { $0.say([0, 1] + Array("OK\n".utf8)) }
        #expect(whole.outcome == .completed(hasReceived: true))
        let inPackets = try await runDialog(steps) { peer in
            for part in [[0], [1, 79], [75], [10]] as [[UInt8]] {
                peer.say(part)
                peer.pause()
            }
        }
        #expect(inPackets.outcome == .completed(hasReceived: true))
    }

    @Test(arguments: [#"\AOK"#, #"\GOK"#]) func anAnchorOfTheStreamMatchesNowhereElse(_ pattern: String) async throws {
        let run = try await runDialog([.expectBytes([1]), .expect(pattern: pattern)], milliseconds: 400) { peer in
            peer.say([1, 120])
            peer.pause()
            peer.say("OK")
            peer.pause()
            peer.say("\nOK\n")
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
    }

    @Test func aCaretStillMatchesAtTheBeginOfALaterLine() async throws {
        let run = try await runDialog([.expectBytes([1]), .expect(pattern: "^OK (?<line>.)")]) { peer in
            peer.say([1])
            peer.say("not OK 1\r\n")
            peer.pause()
            peer.say("OK 2\r\n")
        }
        #expect(run.group("line") == "2")
    }

    @Test func aLookbehindSeesWhatEarlierStepsMatched() async throws {
        let seen = try await runDialog([.expect(pattern: "ab"), .expect(pattern: "^(?<=b)c")]) { $0.say("abc") }
        #expect(seen.outcome == .completed(hasReceived: true))
        let unseen = try await runDialog([.expect(pattern: "ab"), .expect(pattern: "(?<!b)c")]) { $0.say("abc") }
        #expect(unseen.outcome == .closed)
    }

    @Test func aPeerThatDoesNotAnswerTheNextStepIsUnheard() async throws {
        let run = try await runDialog(
            [.expect(pattern: "^220"), .send(text: "EHLO me\r\n"), .expect(pattern: "^250")], milliseconds: 300
        ) { peer in
            peer.say("220 hello\r\n")
            _ = peer.hear(until: "\n")
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: false))
        #expect(run.report.failedStep == 2)
        #expect(run.received[2] == "")
    }

    @Test func aPeerThatAnswersTheNextStepWrongIsHeard() async throws {
        let run = try await runDialog(
            [.expectBytes([50]), .send(text: "EHLO me\r\n"), .expect(pattern: "^250")], milliseconds: 300
        ) { peer in
            peer.say("220 hello\r\n")
            _ = peer.hear(until: "\n")
            peer.say("5")
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
        #expect(run.received[2] == "5")
    }

    @Test(arguments: ["\n", "\r\n", "\r"]) func aDollarStandsBeforeEveryKindOfLineEnd(_ end: String) async throws {
        let run = try await runDialog([.expect(pattern: "^(?<line>ok)$")]) { $0.say("not ok\(end)ok\(end)more") }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func aPromptWithoutALineEndMatchesWhenThePeerIsQuiet() async throws {
        let run = try await runDialog([.expect(pattern: "login: $"), .send(text: "me\n")]) { peer in
            peer.say("welcome\r\nlogin: ")
            #expect(peer.hear(until: "\n") == "me\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func whatAQuietPeerAddsLaterStillCounts() async throws {
        let run = try await runDialog([.expect(pattern: "^(?<word>[a-z]+) end$")]) { peer in
            peer.say("ab")
            peer.pause(milliseconds: 250)
            peer.say("cd end")
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.group("word") == "abcd")
    }

    @Test func binaryBytesAreFoundAcrossPackets() async throws {
        let run = try await runDialog([
            .sendBytes([0, 255, 13, 10]), .expectBytes([0xDE, 0xAD, 0xBE, 0xEF]),
            .expect(pattern: #"(?<b>\xFF\x00)"#),
        ]) { peer in
            #expect(peer.hear() == [0, 255, 13, 10])
            peer.say([0xDE, 0xDE, 0xAD])
            peer.pause()
            peer.say([0xBE, 0xEF, 0xFF])
            peer.pause()
            peer.say([0x00])
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.steps.map(\.kind) == [.sendHex, .expectHex, .expect])
        #expect(run.group("b") == #"\xFF\x00"#)
    }

    @Test func aSilentPeerIsUnheardAtTheDeadline() async throws {
        let run = try await runDialog([.expect(pattern: ".*")], milliseconds: 60) { _ = $0.hear() }
        #expect(run.outcome == .mismatch(hasReceived: false))
        #expect(run.report.failedStep == 0)
        #expect(run.report.steps[0].durationNanoseconds >= 60_000_000)
    }

    @Test func aPeerThatSaysSomethingElseIsHeardAtTheDeadline() async throws {
        let run = try await runDialog([.expect(pattern: "^250")], milliseconds: 60) { peer in
            peer.say("550 no\r\n")
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
        #expect(run.received == ["550 no\r\n"])
        #expect(run.report.steps.map(\.ok) == [false])
    }

    @Test func theEndOfTheStreamIsClosed() async throws {
        let run = try await runDialog([.send(text: "x"), .expect(pattern: "^250")]) { peer in
            _ = peer.hear()
            peer.say("2")
        }
        #expect(run.outcome == .closed)
        #expect(run.report.failedStep == 1)
        #expect(run.received[1] == "2")
    }

    @Test func whatCameBeforeTheEndStillMatches() async throws {
        let run = try await runDialog([.expect(pattern: #"^bye$"#), .expect(pattern: "more")]) { $0.say("bye") }
        #expect(run.report.steps.map(\.ok) == [true, false])
        #expect(run.outcome == .closed)
    }

    @Test func aResetIsItsErrno() async throws {
        let run = try await runDialog([.send(text: "x"), .expect(pattern: "^250")]) { peer in
            _ = peer.hear()
            peer.resetOnClose()
        }
        #expect(run.outcome == .failed(Errno(104)))
    }

    @Test func aCancelledDialogEnds() async throws {
        let run = try await runDialog([.expect(pattern: "^250")], cancelsAfter: 60) { _ = $0.hear() }
        #expect(run.outcome == .cancelled)
        #expect(run.report.failedStep == 0)
    }

    @Test func aDialogThatOnlySendsIsOverAtOnce() async throws {
        let run = try await runDialog([.send(text: "quit\r\n"), .send(text: "")]) {
            #expect($0.hear(until: "\n") == "quit\r\n")
        }
        #expect(run.outcome == .completed(hasReceived: false))
        #expect(run.report.steps.map(\.bytes) == [6, 0])
    }

    @Test func bytesThatHaveLeftAlreadyAreNotSentAgain() async throws {
        let run = try await runDialog([.send(text: "hello\n"), .expect(pattern: "^hello$")], alreadySent: 4) { peer in
            peer.say(peer.hear(until: "\n"))
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.steps[0].bytes == 6)
    }

    @Test func aPeerThatDoesNotReadIsWaitedForUntilTheDeadline() async throws {
        let run = try await runDialog(Self.fourMebibytes, milliseconds: 300) { $0.pause(milliseconds: 600) }
        #expect(run.outcome == .mismatch(hasReceived: false))
        #expect(run.report.failedStep == run.report.steps.count - 1)
        #expect(run.report.steps.dropLast().allSatisfy { $0.ok && $0.bytes == 65536 })
    }

    @Test func whatThePeerSaysWhileAStepSendsIsForTheNextExpect() async throws {
        let run = try await runDialog(Self.fourMebibytes.dropLast() + [.expect(pattern: "^early$")]) { peer in
            peer.say("early\n")
            peer.pause(milliseconds: 100)
            var count = 0
            while count < 63 * 65536 { count += peer.hear().count }
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.steps.last?.bytes == 6)
        #expect(run.received.last == "early\n")
    }

    @Test func aResetWhileAStepSendsIsItsErrno() async throws {
        let run = try await runDialog(Self.fourMebibytes) { peer in
            _ = peer.hear()
            peer.resetOnClose()
        }
        #expect(run.outcome == .failed(Errno(104)) || run.outcome == .failed(Errno(32)))
    }

    /// More than loopback takes without a reader.
    private static let fourMebibytes = [DialogStep](
        repeating: .sendBytes([UInt8](repeating: 65, count: 65536)), count: 64)
}
