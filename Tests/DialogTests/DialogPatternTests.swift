@testable import Dialog
import Testing

/// What the end of the bytes means to a pattern.
@Suite struct DialogPatternTests {
    private func match(_ text: String, _ subject: String, _ end: BytesEnd, from start: Int = 0) throws -> String {
        var budget = MatchBudget()
        let bytes = Array(subject.utf8)
        switch try Pattern(text).match(bytes, from: start, end: end, budget: &budget) {
        case .found(let ranges): return ranges[0].map { String(decoding: bytes[$0], as: UTF8.self) } ?? "nothing"
        case .open(let start): return "open from \(start)"
        case .absent: return "absent"
        case .exceeded(let detail): return detail
        }
    }

    @Test(arguments: [
        (#"\d+"#, "a 12", "open from 2", "12"), ("ok$", "no ok", "open from 3", "ok"),
        ("ok$", "ok\r", "ok", "ok"), (#"ok\z"#, "ok", "open from 0", "ok"), ("abcd|bc", "abc", "open from 0", "bc"),
        ("a(?!b)", "a", "open from 0", "a"), ("250", "xx2", "open from 2", "open from 2"),
        ("250", "xxx", "absent", "absent"), ("^250", "a\n", "absent", "absent"),
        ("login: ", "login: ", "login: ", "login: "),
    ])
    func aMatchThatTouchesTheEndOfAStreamIsOpenAndThatOfAMessageIsNot(
        _ pattern: String, _ subject: String, _ ofStream: String, _ ofMessage: String
    ) throws {
        #expect(try match(pattern, subject, .unknown) == ofStream)
        #expect(try match(pattern, subject, .message) == ofMessage)
    }

    @Test func theFinalEndIsAnEndOfLine() throws {
        #expect(try match("ok$", "ok", .final) == "ok")
        #expect(try match("okay|ok", "ok", .final) == "ok")
        #expect(try match("okay", "ok", .final) == "absent")
    }

    @Test func contextIsSeenButNotMatched() throws {
        #expect(try match("^b", "ab\nb", .final, from: 1) == "b")
        #expect(try match("(?<=a)b", "ab", .final, from: 1) == "b")
        #expect(try match("ab", "ab", .final, from: 1) == "absent")
    }

    @Test func bytesAreNoText() throws {
        #expect(try match("^.$", "é", .final) == "absent")
        #expect(try match("^..$", "é", .final) == "é")
        #expect(try match(#"^\xC3\xA9$"#, "é", .final) == "é")
        #expect(try match("^é$", "é", .final) == "é")
    }
}
