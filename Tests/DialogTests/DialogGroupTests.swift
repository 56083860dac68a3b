import CheckModel
@testable import Dialog
import TestSupport
import Testing

@Suite struct DialogGroupTests {
    @Test func groupsOfEarlierMatchesAreSent() async throws {
        let run = try await runDialog([
            .expect(pattern: #"<(?<challenge>[^>]+)> (\d+)\n"#), .send(text: "${challenge}/${2}/${1}/${0}"),
            .expect(pattern: "ok (.)\n"), .send(text: "${1}${challenge} $5 $${1} $\n"),
        ]) { peer in
            peer.say("<abc> 17\n")
            #expect(peer.hear(until: "17\n") == "abc/17/abc/<abc> 17\n")
            peer.say("ok !\n")
            #expect(peer.hear(until: "\n") == "!abc $5 ${1} $\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
    }

    @Test func bytesThatAreNoTextAreSentAsTheyCame() async throws {
        let run = try await runDialog([.expect(pattern: #"id=(?<id>..)"#), .send(text: "${id}")]) { peer in
            peer.say(Array("id=".utf8) + [0xFF, 0x00])
            #expect(peer.hear() == [0xFF, 0x00])
        }
        #expect(run.group("id") == #"\xFF\x00"#)
    }

    @Test func aGroupThatTookNoPartIsEmpty() async throws {
        let run = try await runDialog([.expect(pattern: #"a(?<b>b)?c"#), .send(text: "[${b}]\n")]) { peer in
            peer.say("ac")
            #expect(peer.hear(until: "\n") == "[]\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.report.groups.isEmpty)
    }

    @Test func aNameForSeveralGroupsIsTheOneThatTookPart() async throws {
        let pattern = #"(?J)(?:a(?<n>\d)|b(?<n>\d))\n"#
        let run = try await runDialog([.expect(pattern: pattern), .send(text: "${n}\n")]) { peer in
            peer.say("b7\n")
            #expect(peer.hear(until: "\n") == "7\n")
        }
        #expect(run.group("n") == "7")
    }

    @Test func aLaterMatchOfANameReplacesIt() async throws {
        let run = try await runDialog([
            .expect(pattern: #"(?<n>\d)\n"#), .expect(pattern: #"(?<n>\d)\n"#), .send(text: "${n}\n"),
        ]) { peer in
            peer.say("1\n2\n")
            #expect(peer.hear(until: "\n") == "2\n")
        }
        #expect(run.report.groups.map(\.value) == ["2"])
    }

    @Test func groupsThatMakeASendTooLongFailItsStep() async throws {
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 40000)
        let text = String(repeating: "${a}", count: 27)
        let run = try await runDialog([.expect(pattern: #"(?<a>a+)\n"#), .send(text: text)]) { $0.say(long + [10]) }
        #expect(run.outcome == .mismatch(hasReceived: true))
        #expect(run.report.failedStep == 1)
        #expect(run.report.steps[1].detail == "with its groups it has more than 1048576 bytes")
        #expect(run.group("a")?.utf8.count == 1024)
    }

    @Test func aValueIsNotCutInsideACharacter() {
        let bytes = [UInt8](repeating: 65, count: 1023) + Array("éé".utf8)
        #expect(PrintableBytes.text(bytes[...]) == String(repeating: "A", count: 1023))
        #expect(PrintableBytes.text(Array("a\r\n\t\\é".utf8)[...]) == "a\r\n\t\\é")
        #expect(PrintableBytes.text([13, 10, 9, 92, 65, 5, 0xE9]) == #"\r\n\t\\A\x05\xE9"#)
    }
}
