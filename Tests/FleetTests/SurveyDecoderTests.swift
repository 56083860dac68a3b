import ConnectAPI
import StrictJSON
import Testing

@testable import Fleet

@Suite struct SurveyDecoderTests {
    private func decode(_ text: String, hasFleet: Bool = true) throws(Problem) -> SurveyRequest {
        try SurveyDecoder.decode(Array(text.utf8), maximumTimeoutMilliseconds: 60_000, hasFleet: hasFleet)
    }

    private func pointers(_ text: String, hasFleet: Bool = true) -> [String] {
        do throws(Problem) {
            _ = try decode(text, hasFleet: hasFleet)
            return []
        } catch {
            return error.errors.map(\.pointer)
        }
    }

    @Test func defaults() throws {
        let survey = try decode(#"{"check":{"target":"10.0.0.7:22"}}"#)
        #expect(survey.from == [.here])
        #expect(survey.quorum == 1)
        #expect(survey.graceMilliseconds == 1000)
        #expect(survey.body == Array(#"{"target":"10.0.0.7:22"}"#.utf8))
    }

    @Test func allSelectors() throws {
        let from = #"["here","fra1",{"labels":{"region":"us"},"limit":2}]"#
        let survey = try decode(#"{"check":{"target":"a:1"},"from":\#(from),"quorum":2,"grace_ms":0}"#)
        #expect(survey.from.count == 3)
        #expect(survey.from.last == .labels(["region": "us"], limit: 2))
        #expect(survey.quorum == 2)
        #expect(survey.graceMilliseconds == 0)
    }

    @Test(arguments: [
        ("{}", ["/check"]),
        (#"{"check":{"target":"a"},"from":[]}"#, ["/check/target", "/from"]),
        (#"{"check":{"target":"a:1","x":1}}"#, ["/check/x"]),
        (#"{"check":{"target":"a:1"},"x":1}"#, ["/x"]),
        (#"{"check":[]}"#, ["/check"]),
        (#"{"check":{"target":"a:1"},"from":["any"]}"#, ["/from/0"]),
        (#"{"check":{"target":"a:1"},"from":["here","a.b",7]}"#, ["/from/1", "/from/2"]),
        (
            #"{"check":{"target":"a:1"},"from":[{"labels":{"a":1},"limit":0,"x":1}]}"#,
            ["/from/0/labels/a", "/from/0/limit", "/from/0/x"]
        ),
        (#"{"check":{"target":"a:1"},"quorum":0,"grace_ms":-1}"#, ["/quorum", "/grace_ms"]),
        (#"{"check":{"target":"a:1"},"quorum":"1"}"#, ["/quorum"]),
        (#"{"check":{"target":"a:1"},"check":{"target":"a:1"}}"#, ["/check"]),
    ])
    func problems(text: String, expected: [String]) {
        #expect(pointers(text) == expected)
    }

    @Test func otherPlacesNeedAFleet() {
        let text = #"{"check":{"target":"a:1"},"from":["here","fra1",{"labels":{"region":"us"}}]}"#
        #expect(pointers(text, hasFleet: false) == ["/from/1", "/from/2"])
    }
}
