import CheckModel
@testable import Dialog
import NetworkTypes
import SocketIO
import TestSupport
import Testing

/// What a hostile peer or pattern costs.
@Suite struct DialogBoundsTests {
    private static let letters = [UInt8](repeating: UInt8(ascii: "a"), count: 60000)

    @Test(arguments: [
        "(a+)+$b", "(?:a|ab|a)*c", "[ab]*[cd]", "[ab]{32000}c", #"(a{1,32000})\1b"#, "(?=(a+)+b)c?d", "(a|(?1))*b",
        #"(?:a+a+)+\d"#, #"(a*)*(b|c)\1"#,
    ])
    func noPatternKeepsTheThread(_ text: String) throws {
        let pattern = try Pattern(text)
        var budget = MatchBudget()
        for end in [BytesEnd.unknown, .message, .final] {
            _ = pattern.match(Self.letters, from: 0, end: end, budget: &budget)
            // 3.5 ms are the limit, 5 ms what was measured; twice that is left to a slow machine.
            #expect(budget.latestNanoseconds < 10_000_000 * Slowness.factor)
        }
    }

    @Test func aPatternThatTakesTooLongFailsItsStepAndSaysWhy() async throws {
        let run = try await runDialog([.expect(pattern: "(a+)+$b|[ab]*[cd]")]) { peer in
            peer.say(Self.letters)
            peer.say("\n")
            _ = peer.hear()
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
        let detail = try #require(run.report.steps[0].detail)
        #expect(detail.contains("took too much time") || detail.contains("limit"), "\(detail)")
    }

    @Test func aConversationHasItsShareOfTimeOnly() throws {
        let pattern = try Pattern("[ab]*[cd]")
        var budget = MatchBudget()
        var matches = 0
        while budget.remainingNanoseconds > 0, matches < 1000 {
            guard case .exceeded = pattern.match(Self.letters, from: 0, end: .final, budget: &budget) else { break }
            matches += 1
        }
        #expect((10...40).contains(matches), "\(matches)")
        guard case .exceeded = try Pattern("a").match([97], from: 0, end: .final, budget: &budget) else {
            Issue.record("matched without any time")
            return
        }
    }

    @Test func anUsualPatternOverAllThatIsKeptIsCheap() throws {
        var bytes = [UInt8]()
        while bytes.count < DialogLimits.unmatchedBytes { bytes += Array("220-some line of a long greeting\r\n".utf8) }
        bytes += Array("220 end\r\n".utf8)
        for text in [#"^220 (?<last>.*)$"#, #"^(?:220-.*\r\n)*220 (?<last>\w+)"#, #"(?s).*(?<last>end)\r\n\z"#] {
            var budget = MatchBudget()
            guard case .found(let ranges) = try Pattern(text).match(bytes, from: 0, end: .final, budget: &budget)
            else {
                Issue.record("\(text): no match after \(budget.latestNanoseconds) ns")
                continue
            }
            #expect(ranges[1].map { Array(bytes[$0]) } == Array("end".utf8))
        }
    }

    @Test func whatTheFloodLeavesBehindIsForgotten() async throws {
        let run = try await runDialog([.expect(pattern: "^end (?<of>.)$")], milliseconds: 20000) { peer in
            let line = Array("a line of a flood that is one MiB long in all\r\n".utf8)
            let block = (0..<1024).flatMap { _ in line }
            for _ in 0..<22 { peer.say(block) }
            peer.say("end !\r\n")
        }
        #expect(run.outcome == .completed(hasReceived: true))
        #expect(run.group("of") == "!")
        #expect(run.report.steps[0].bytes == 22 * 1024 * 47 + 7)
        #expect(run.report.steps[0].received?.count == 1024)
    }

    @Test func theInboxKeepsWhatItMay() {
        var inbox = Inbox()
        for _ in 0..<100 { inbox.append([UInt8](repeating: 7, count: 16384)) }
        #expect(inbox.unmatchedCount == DialogLimits.unmatchedBytes)
        #expect(inbox.bytes.count <= DialogLimits.unmatchedBytes + 5 * DialogLimits.contextBytes)
        inbox.skip(to: inbox.bytes.count)
        inbox.append([8])
        #expect(inbox.unmatchedCount == 1)
        #expect(inbox.start >= DialogLimits.contextBytes)
    }

    @Test func aPeerThatNeverStopsTalkingEndsAtTheDeadline() async throws {
        let begin = Clock.now()
        let run = try await runDialog([.expect(pattern: "z")], milliseconds: 150) { peer in
            let block = [UInt8](repeating: UInt8(ascii: "a"), count: 65536)
            // The flood ends when the other side is gone, a second later at the latest.
            while Clock.now().since(begin) < 1_000_000_000 { peer.say(block) }
        }
        #expect(run.outcome == .mismatch(hasReceived: true))
    }
}
