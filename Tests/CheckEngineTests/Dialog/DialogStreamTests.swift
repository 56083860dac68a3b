@testable import CheckEngine
import CheckModel
import NetworkTypes
import Testing

@Suite struct DialogStreamTests {
    @Test func aMailServersGreetingIsExpectedAndAnswered() async throws {
        let held = try await hold([
            .expect(pattern: #"^220 (?<name>\S+)"#), .send(text: "EHLO me\r\n"),
            .expect(pattern: #"^250 (?<last>.*)$"#),
        ]) { peer in
            peer.say("220 mail.example ESMTP\r\n")
            #expect(peer.hear(until: "\r\n") == "EHLO me\r\n")
            peer.say("250-PIPELINING\r\n250 HELP me\r\n")
        }
        #expect(held.ending == .completed(heard: true))
        #expect(held.report.failedStep == nil)
        #expect(held.report.steps.map(\.kind) == [.expect, .send, .expect])
        #expect(held.report.steps.map(\.ok) == [true, true, true])
        #expect(held.report.steps.map(\.bytes) == [24, 9, 29])
        #expect(held.received == ["220 mail.example ESMTP\r\n", "", "250-PIPELINING\r\n250 HELP me\r\n"])
        #expect(held.report.steps[1].received == nil)
        #expect(held.group("name") == "mail.example")
        #expect(held.group("last") == "HELP me")
        #expect(held.report.steps.allSatisfy { $0.durationNanoseconds >= 0 })
    }

    @Test func aMatchIsTheSameHoweverTheStreamIsCut() async throws {
        let held = try await hold([.expect(pattern: #"^220 (?<name>\S+) (?<rest>.*)\r\n"#)]) { peer in
            for part in ["2", "20 ma", "il.exam", "ple ES", "MTP", "\r", "\n"] {
                peer.say(part)
                peer.pause()
            }
        }
        #expect(held.ending == .completed(heard: true))
        #expect(held.group("name") == "mail.example")
        #expect(held.group("rest") == "ESMTP")
    }

    @Test func eachExpectLooksBehindThePreviousMatch() async throws {
        let held = try await hold([
            .expect(pattern: #"(?<first>\d+)\n"#), .expect(pattern: #"(?<second>\d+)\n"#),
            .expectBytes(Array("3\n".utf8)), .expect(pattern: #"(?<fourth>\d+)\n"#),
        ]) { $0.say("1\n2\n3\n4\n") }
        #expect(held.ending == .completed(heard: true))
        #expect(held.report.groups.map(\.value) == ["1", "2", "4"])
        #expect(held.report.steps.map(\.bytes) == [8, 0, 0, 0])
    }

    @Test func aCaretMatchesWhereTheLastMatchEnded() async throws {
        let held = try await hold([.expect(pattern: "220"), .expect(pattern: "^ (?<word>.)")]) {
            $0.say("220 a\r\n b\r\n")
        }
        #expect(held.group("word") == "a")
    }

    @Test(arguments: ["^OK", #"\AOK"#, #"\GOK"#, "^(?<all>OK)$", "(?:^|x)OK", #"^\QOK\E"#])
    func anAnchorMatchesInTheStepAfterBytes(_ pattern: String) async throws {
        let steps = [DialogStep.expectBytes([0, 1]), .expect(pattern: pattern)]
        let whole = try await hold(steps) { $0.say([0, 1] + Array("OK\n".utf8)) }
        #expect(whole.ending == .completed(heard: true))
        let inPackets = try await hold(steps) { peer in
            for part in [[0], [1, 79], [75], [10]] as [[UInt8]] {
                peer.say(part)
                peer.pause()
            }
        }
        #expect(inPackets.ending == .completed(heard: true))
    }

    @Test(arguments: [#"\AOK"#, #"\GOK"#]) func anAnchorOfTheStreamMatchesNowhereElse(_ pattern: String) async throws {
        let held = try await hold([.expectBytes([1]), .expect(pattern: pattern)], milliseconds: 400) { peer in
            peer.say([1, 120])
            peer.pause()
            peer.say("OK")
            peer.pause()
            peer.say("\nOK\n")
            _ = peer.hear()
        }
        #expect(held.ending == .mismatch(heard: true))
    }

    @Test func aCaretStillMatchesAtTheBeginOfALaterLine() async throws {
        let held = try await hold([.expectBytes([1]), .expect(pattern: "^OK (?<line>.)")]) { peer in
            peer.say([1])
            peer.say("not OK 1\r\n")
            peer.pause()
            peer.say("OK 2\r\n")
        }
        #expect(held.group("line") == "2")
    }

    @Test func aLookbehindSeesWhatEarlierStepsMatched() async throws {
        let seen = try await hold([.expect(pattern: "ab"), .expect(pattern: "^(?<=b)c")]) { $0.say("abc") }
        #expect(seen.ending == .completed(heard: true))
        let unseen = try await hold([.expect(pattern: "ab"), .expect(pattern: "(?<!b)c")]) { $0.say("abc") }
        #expect(unseen.ending == .closed)
    }

    @Test func aPeerThatDoesNotAnswerTheNextStepIsUnheard() async throws {
        let held = try await hold(
            [.expect(pattern: "^220"), .send(text: "EHLO me\r\n"), .expect(pattern: "^250")], milliseconds: 300
        ) { peer in
            peer.say("220 hello\r\n")
            _ = peer.hear(until: "\n")
            _ = peer.hear()
        }
        #expect(held.ending == .mismatch(heard: false))
        #expect(held.report.failedStep == 2)
        #expect(held.received[2] == "")
    }

    @Test func aPeerThatAnswersTheNextStepWrongIsHeard() async throws {
        let held = try await hold(
            [.expectBytes([50]), .send(text: "EHLO me\r\n"), .expect(pattern: "^250")], milliseconds: 300
        ) { peer in
            peer.say("220 hello\r\n")
            _ = peer.hear(until: "\n")
            peer.say("5")
            _ = peer.hear()
        }
        #expect(held.ending == .mismatch(heard: true))
        #expect(held.received[2] == "5")
    }

    @Test(arguments: ["\n", "\r\n", "\r"]) func aDollarStandsBeforeEveryKindOfLineEnd(_ end: String) async throws {
        let held = try await hold([.expect(pattern: "^(?<line>ok)$")]) { $0.say("not ok\(end)ok\(end)more") }
        #expect(held.ending == .completed(heard: true))
    }

    @Test func aPromptWithoutALineEndMatchesWhenThePeerIsQuiet() async throws {
        let held = try await hold([.expect(pattern: "login: $"), .send(text: "me\n")]) { peer in
            peer.say("welcome\r\nlogin: ")
            #expect(peer.hear(until: "\n") == "me\n")
        }
        #expect(held.ending == .completed(heard: true))
    }

    @Test func whatAQuietPeerAddsLaterStillCounts() async throws {
        let held = try await hold([.expect(pattern: "^(?<word>[a-z]+) end$")]) { peer in
            peer.say("ab")
            peer.pause(milliseconds: 250)
            peer.say("cd end")
        }
        #expect(held.ending == .completed(heard: true))
        #expect(held.group("word") == "abcd")
    }

    @Test func binaryBytesAreFoundAcrossPackets() async throws {
        let held = try await hold([
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
        #expect(held.ending == .completed(heard: true))
        #expect(held.report.steps.map(\.kind) == [.sendHex, .expectHex, .expect])
        #expect(held.group("b") == #"\xFF\x00"#)
    }

    @Test func aSilentPeerIsUnheardAtTheDeadline() async throws {
        let held = try await hold([.expect(pattern: ".*")], milliseconds: 60) { _ = $0.hear() }
        #expect(held.ending == .mismatch(heard: false))
        #expect(held.report.failedStep == 0)
        #expect(held.report.steps[0].durationNanoseconds >= 60_000_000)
    }

    @Test func aPeerThatSaysSomethingElseIsHeardAtTheDeadline() async throws {
        let held = try await hold([.expect(pattern: "^250")], milliseconds: 60) { peer in
            peer.say("550 no\r\n")
            _ = peer.hear()
        }
        #expect(held.ending == .mismatch(heard: true))
        #expect(held.received == ["550 no\r\n"])
        #expect(held.report.steps.map(\.ok) == [false])
    }

    @Test func theEndOfTheStreamIsClosed() async throws {
        let held = try await hold([.send(text: "x"), .expect(pattern: "^250")]) { peer in
            _ = peer.hear()
            peer.say("2")
        }
        #expect(held.ending == .closed)
        #expect(held.report.failedStep == 1)
        #expect(held.received[1] == "2")
    }

    @Test func whatCameBeforeTheEndStillMatches() async throws {
        let held = try await hold([.expect(pattern: #"^bye$"#), .expect(pattern: "more")]) { $0.say("bye") }
        #expect(held.report.steps.map(\.ok) == [true, false])
        #expect(held.ending == .closed)
    }

    @Test func aResetIsItsErrno() async throws {
        let held = try await hold([.send(text: "x"), .expect(pattern: "^250")]) { peer in
            _ = peer.hear()
            peer.resetOnClose()
        }
        #expect(held.ending == .failed(Errno(104)))
    }

    @Test func aCancelledDialogEnds() async throws {
        let held = try await hold([.expect(pattern: "^250")], cancelsAfter: 60) { _ = $0.hear() }
        #expect(held.ending == .cancelled)
        #expect(held.report.failedStep == 0)
    }

    @Test func aDialogThatOnlySendsIsOverAtOnce() async throws {
        let held = try await hold([.send(text: "quit\r\n"), .send(text: "")]) {
            #expect($0.hear(until: "\n") == "quit\r\n")
        }
        #expect(held.ending == .completed(heard: false))
        #expect(held.report.steps.map(\.bytes) == [6, 0])
    }

    @Test func bytesThatHaveLeftAlreadyAreNotSentAgain() async throws {
        let held = try await hold([.send(text: "hello\n"), .expect(pattern: "^hello$")], alreadySent: 4) { peer in
            peer.say(peer.hear(until: "\n"))
        }
        #expect(held.ending == .completed(heard: true))
        #expect(held.report.steps[0].bytes == 6)
    }

    @Test func aPeerThatDoesNotReadIsWaitedForUntilTheDeadline() async throws {
        let held = try await hold(Self.fourMebibytes, milliseconds: 300) { $0.pause(milliseconds: 600) }
        #expect(held.ending == .mismatch(heard: false))
        #expect(held.report.failedStep == held.report.steps.count - 1)
        #expect(held.report.steps.dropLast().allSatisfy { $0.ok && $0.bytes == 65536 })
    }

    @Test func whatThePeerSaysWhileAStepSendsIsForTheNextExpect() async throws {
        let held = try await hold(Self.fourMebibytes.dropLast() + [.expect(pattern: "^early$")]) { peer in
            peer.say("early\n")
            peer.pause(milliseconds: 100)
            var count = 0
            while count < 63 * 65536 { count += peer.hear().count }
        }
        #expect(held.ending == .completed(heard: true))
        #expect(held.report.steps.last?.bytes == 6)
        #expect(held.received.last == "early\n")
    }

    @Test func aResetWhileAStepSendsIsItsErrno() async throws {
        let held = try await hold(Self.fourMebibytes) { peer in
            _ = peer.hear()
            peer.resetOnClose()
        }
        #expect(held.ending == .failed(Errno(104)) || held.ending == .failed(Errno(32)))
    }

    /// More than loopback takes without a reader.
    private static let fourMebibytes = [DialogStep](
        repeating: .sendBytes([UInt8](repeating: 65, count: 65536)), count: 64)
}
