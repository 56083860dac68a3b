import CheckModel
@testable import Dialog
import TestSupport
import Testing

/// Steps that take the stream line by line.
@Suite struct DialogLineTests {
    private static func line(_ pattern: String, _ labels: [Label] = []) -> DialogStep {
        .expectLine(pattern: pattern, labels: labels)
    }

    @Test func eachExpectationTakesAWholeLine() async throws {
        let run = try await runDialog([Self.line("OK"), Self.line("OK")]) { peer in
            peer.say("first\r\nOK OK\r\nnext\nOK\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.steps.map(\.ok) == [true, true])
    }

    @Test func oneLineWithTwoMatchesMeetsOneExpectation() async throws {
        let run = try await runDialog([Self.line("OK"), Self.line("OK")]) { $0.say("OK OK\n") }
        #expect(run.outcome == .closed)
        #expect(run.report.failedStep == 1)
    }

    @Test(arguments: ["^b.c$", #"\Ab\rc\z"#, "b[^x]c", "^(?:b.c)$"])
    func aPatternSeesItsLineAlone(_ pattern: String) async throws {
        let run = try await runDialog([Self.line(pattern)]) { $0.say("b\nc\nb\rc\r\n") }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func aPatternDoesNotReachBeyondALine() async throws {
        let run = try await runDialog([Self.line("b[^x]*c")]) { $0.say("b\nc\n") }
        #expect(run.outcome == .closed)
    }

    @Test func anEmptyPatternTakesAnEmptyLine() async throws {
        let run = try await runDialog([Self.line(""), Self.line("^$"), Self.line("x")]) { $0.say("\n\r\nx\n") }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func whatStandsBeforeTheEndIsALine() async throws {
        let run = try await runDialog([Self.line("^end$")]) { $0.say("a\nend") }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func aLineThatIsNotOverIsWaitedFor() async throws {
        let run = try await runDialog([Self.line("login")], milliseconds: 150) { peer in
            peer.say("login: ")
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
        #expect(run.report.steps[0].detail == nil)
    }

    @Test func aLineThatIsTooLongEndsTheDialog() async throws {
        let run = try await runDialog([Self.line("x")]) { $0.say([UInt8](repeating: 0x61, count: 70_000)) }
        #expect(run.outcome == .mismatch(hasReceived: true))
        #expect(run.report.steps[0].detail?.contains("65536") == true)
    }

    @Test func aTemplateIsFilledInAsByGo() async throws {
        let steps: [DialogStep] = [
            Self.line(#"^220 (?P<name>\S+) (?<rest>.*)$"#),
            .sendExpanded(template: Array("EHLO $2 ${name} $1x $$5 ${9} $ ${ $name.".utf8)),
        ]
        let run = try await runDialog(steps) { peer in
            peer.say("220 mx.example ready\r\n")
            #expect(peer.hear(until: "\n") == "EHLO ready mx.example  $5  $ ${ mx.example.\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func namesInTemplatesAreThoseOfGo() async throws {
        let steps: [DialogStep] = [
            Self.line(#"(?P<n>a)|(?P<n>b)(?P<01>c)"#),
            .sendExpanded(template: Array("$n ${1} ${01} ${2}x $né$nb. $0é ${0}".utf8)),
        ]
        let run = try await runDialog(steps) { peer in
            peer.say("bc\n")
            // `$né` and `$nb` are other names, `01` is a name and not a number.
            #expect(peer.hear(until: "\n") == "b  c bx .  bc\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func anEmptyTemplateSendsNothing() async throws {
        let steps: [DialogStep] = [
            Self.line("^a(b)?$"), .sendExpanded(template: Array("$1".utf8)), Self.line("c"),
            .sendExpanded(template: Array("end".utf8)),
        ]
        let run = try await runDialog(steps) { peer in
            peer.say("a\nc\n")
            #expect(peer.hear(until: "\n") == "end\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func aBytePerCharacterIsNotMeant() async throws {
        let run = try await runDialog([Self.line("^caf(.)$"), .sendExpanded(template: Array("$1".utf8))]) { peer in
            peer.say("café\r\n")
            #expect(peer.hear(until: "\n") == "é\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    /// The line arrives in several reads, and is longer than most that a conversation keeps.
    @Test func aLineOfAlmost64KiBIsSeenAsAWhole() async throws {
        let line = [UInt8(ascii: "^")] + [UInt8](repeating: UInt8(ascii: "x"), count: 65_533) + [UInt8(ascii: "$")]
        let run = try await runDialog([Self.line(#"^\^x+\$$"#), Self.line("^next$")], milliseconds: 20_000) { peer in
            peer.say(line + Array("\nnext\n".utf8))
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    /// Such a match takes seconds. The deadline holds, and the worker does not wait for it.
    @Test func anExpensiveMatchDoesNotOutlastTheDeadline() async throws {
        let run = try await runDialog([Self.line("(a?){1000}b")], milliseconds: 200) { peer in
            peer.say([UInt8](repeating: UInt8(ascii: "a"), count: 20_000) + [UInt8(ascii: "\n")])
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
        #expect(run.report.steps[0].durationNanoseconds < 1_000_000_000)
    }

    @Test func anExpensiveMatchThatSucceedsIsWaitedFor() async throws {
        let run = try await runDialog([Self.line("(a?){1000}b")], milliseconds: 20_000) { peer in
            peer.say([UInt8](repeating: UInt8(ascii: "a"), count: 1000) + Array("b\n".utf8))
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func labelsAreMadeOfTheMatch() async throws {
        let labels = [Label(name: "version", value: "v${1}"), Label(name: "fixed", value: "x")]
        let run = try await runDialog([Self.line("^SSH-([0-9.]+)-", labels)]) { $0.say("SSH-2.0-x\r\n") }
        #expect(
            run.report.steps[0].labels == [Label(name: "version", value: "v2.0"), Label(name: "fixed", value: "x")])
    }

    @Test func exactBytesAreTheNextOnes() async throws {
        let run = try await runDialog([
            .expectExactly([1, 2]), .expectExactly([3]), Self.line("^rest$"),
        ]) { peer in
            peer.say([1])
            peer.pause()
            peer.say([2, 3] + Array("rest\n".utf8))
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func anotherByteEndsTheDialogAtOnce() async throws {
        let run = try await runDialog([.expectExactly([1, 2, 3])]) { peer in
            peer.say([1, 9])
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
        #expect(run.report.steps[0].detail == "the peer sent other bytes")
    }

    @Test func tooFewBytesAreNoOthers() async throws {
        let run = try await runDialog([.expectExactly([1, 2, 3])]) { $0.say([1, 2]) }
        #expect(run.outcome == .closed)
        #expect(run.report.steps[0].detail == nil)
    }

    @Test func aMessageEndsItsLine() async throws {
        let run = try await runDatagramDialog([.send(text: "hi"), Self.line("^pong$")]) { $0.say("pong") }
        #expect(run.outcome == .completed(hasReceived: true))
    }
}
