import CheckModel
@testable import Dialog
import Testing

@Suite struct DialogProblemTests {
    private func problem(_ steps: DialogStep...) -> DialogProblem? {
        do throws(DialogProblem) {
            _ = try Dialog(steps: steps)
            return nil
        } catch {
            return error
        }
    }

    @Test func aPatternThatIsNoneIsNamedWithItsPlace() {
        let found = problem(.send(text: "x"), .expect(pattern: "a(b"))
        #expect(found?.step == 1)
        #expect(found?.member == "expect")
        #expect(found?.detail == "is not a pattern, at byte 3: missing closing parenthesis")
    }

    @Test(arguments: ["", "(*UTF)é", "(*UCP)a", #"a\Cb"#, "(?<=a{5000})b", String(repeating: "a", count: 4097)])
    func aPatternOutsideTheLimitsIsRefused(_ text: String) {
        #expect(problem(.expect(pattern: text))?.member == "expect")
    }

    @Test func everyUsualPatternIsTaken() {
        #expect(problem(.expect(pattern: "a*"), .expect(pattern: "(?i)^ok$")) == nil)
        #expect(problem(.expect(pattern: #"\x00\xff[\x80-\xff]"#)) == nil)
    }

    @Test(arguments: ["${1}", "${name}", "${2}", "${", "${}", "${a b}", "${é}", "${99999999999999999999}"])
    func aReferenceToNoGroupIsRefused(_ text: String) {
        let found = problem(.expect(pattern: text == "${1}" ? "a" : "(a)"), .send(text: text))
        #expect(found?.step == 1)
        #expect(found?.member == "send")
    }

    @Test func aReferenceForwardIsRefused() {
        #expect(problem(.send(text: "${a}"), .expect(pattern: "(?<a>a)"))?.step == 0)
        #expect(problem(.send(text: "${1}"))?.detail == "knows no group 1: no expect comes before it")
    }

    @Test func aDollarThatBeginsNoReferenceIsItself() throws {
        let template = try SendTemplate("$5 $$ $${x} $") { _ in [] }
        #expect(template.filled(with: [:]) == Array("$5 $$ ${x} $".utf8))
    }

    @Test func limitsOfSizeAreKept() {
        let bytes = [UInt8](repeating: 65, count: 65536)
        #expect(problem(.sendBytes(bytes), .send(text: String(decoding: bytes, as: UTF8.self))) == nil)
        #expect(problem(.sendBytes(bytes + [65]))?.member == "send_hex")
        #expect(problem(.send(text: String(decoding: bytes + [65], as: UTF8.self)))?.member == "send")
        #expect(problem(.expectBytes([]))?.member == "expect_hex")
        #expect(problem(.expectBytes(bytes))?.member == "expect_hex")
    }

    @Test func aDialogHasSixtyFourSteps() throws {
        let steps = [DialogStep](repeating: .send(text: "x"), count: 64)
        #expect(try Dialog(steps: steps).steps.count == 64)
        #expect(throws: DialogProblem.self) { try Dialog(steps: steps + [.sendBytes([1])]) }
    }

    @Test func namedGroupsAreCountedOverAllSteps() {
        let many = (0..<40).map { "(?<n\($0)>a)" }.joined()
        let others = (0..<40).map { "(?<m\($0)>a)" }.joined()
        #expect(problem(.expect(pattern: many), .expect(pattern: many)) == nil)
        #expect(problem(.expect(pattern: many), .expect(pattern: others))?.step == 1)
    }

    @Test(arguments: ["abab", "aab", "aaaa", "b", "abcabcabd"]) func bytesAreFoundWhereTheyStand(_ needle: String) {
        let bytes = Array("aaabababcabcabcabdaaaab".utf8)
        let search = ByteSearch(Array(needle.utf8))
        for start in 0...bytes.count {
            let naive = (start...bytes.count).first { bytes[$0...].starts(with: needle.utf8) }
            #expect(search.end(in: bytes, from: start) == naive.map { $0 + needle.utf8.count })
        }
    }
}
