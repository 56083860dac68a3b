import CheckModel
import ConnectAPI
import NATSClient
import NetworkTypes
import SocketIO
import Testing

@testable import Fleet

@Suite struct AnswerReaderTests {
    private func read(
        _ payload: String, place: String? = "fra1", asked: String? = "fra1", id: String? = nil, code: String? = nil,
        error: String = "why"
    ) throws -> QuestionTrial {
        var request = CheckRequest(target: try Target(parsing: "tcp://192.0.2.1:80"), timeoutMilliseconds: 1000)
        request.id = id
        var message = NATSMessage("inbox", payload: Array(payload.utf8))
        if let place { message.headers.append((FleetHeader.place, place)) }
        if let code { message.headers += [(FleetHeader.errorCode, code), (FleetHeader.error, error)] }
        let question = FleetQuestion(
            place: asked.flatMap(PlaceName.init), body: [], request: request, deadline: Clock.now())
        return AnswerReader(question: question).read(message)
    }

    private func reason(_ trial: QuestionTrial) -> String? {
        if case .answer(.unavailable(let reason)) = trial { reason } else { nil }
    }

    private let refused =
        #"{"target":"tcp://192.0.2.1:80","ok":false,"outcome":"refused","error":{"name":"ECONNREFUSED","fault":"target"}}"#

    @Test func readsAResult() throws {
        guard case .answer(.finished(let result)) = try read(refused) else {
            Issue.record("not finished")
            return
        }
        #expect(result.place.text == "fra1")
        #expect(!result.isOK)
        #expect(result.outcome == "refused")
        #expect(result.fault == "target")
        #expect(result.errorName == "ECONNREFUSED")
    }

    @Test func anyPlaceMayAnswerForAny() throws {
        guard case .answer(.finished(let result)) = try read(refused, place: "nyc1", asked: nil) else {
            Issue.record("not finished")
            return
        }
        #expect(result.place.text == "nyc1")
    }

    @Test func anotherPlaceIsNotBelieved() throws {
        let reason = try #require(reason(try read(refused, place: "nyc1")))
        #expect(reason == "the place fra1 was asked, and an answer came from nyc1: it is not believed")
    }

    @Test(arguments: [nil, "", "a.b", "here", "*"])
    func anAnswerNeedsAPlace(_ place: String?) throws {
        #expect(reason(try read(refused, place: place)) != nil)
    }

    @Test(arguments: [
        #"{"target":"tcp://192.0.2.2:80","ok":true,"outcome":"connected"}"#, #"{"ok":true,"outcome":"connected"}"#,
        #"{"target":"tcp://192.0.2.1:80","ok":"yes","outcome":"connected"}"#,
        #"{"target":"tcp://192.0.2.1:80","ok":true}"#,
        #"{"target":"tcp://192.0.2.1:80","id":"x","ok":true,"outcome":"connected"}"#,
        "[]", "null", "", "{", "\u{0}",
    ])
    func otherDocumentsAreNotBelieved(_ payload: String) throws {
        #expect(reason(try read(payload)) != nil)
    }

    @Test func theIDMustFit() throws {
        #expect(reason(try read(refused, id: "7")) != nil)
    }

    @Test func anAnswerThatIsTooLongIsNotBelieved() throws {
        var message = NATSMessage("inbox")
        message.headers = [(FleetHeader.place, "fra1")]
        message.omittedBytes = 2_000_000
        let request = CheckRequest(target: try Target(parsing: "tcp://192.0.2.1:80"), timeoutMilliseconds: 1)
        let question = FleetQuestion(place: PlaceName("fra1"), body: [], request: request, deadline: Clock.now())
        #expect(reason(AnswerReader(question: question).read(message)) != nil)
    }

    @Test(arguments: ["503", "429"])
    func overloadIsAskedAgain(_ code: String) throws {
        guard case .again(let reason, let isAbsent) = try read("{}", code: code) else {
            Issue.record("not asked again")
            return
        }
        #expect(reason == "fra1 is overloaded or stops: why")
        #expect(!isAbsent)
    }

    @Test func aDenialIsForbidden() throws {
        guard case .answer(.forbidden(let place, let detail)) = try read("{}", code: "403") else {
            Issue.record("not forbidden")
            return
        }
        #expect(place == "fra1")
        #expect(detail == "why")
    }

    @Test(arguments: ["400", "404", "413", "415", "422"])
    func aRejectionIsUnsupported(_ code: String) throws {
        guard case .answer(.unsupported(_, let detail)) = try read("{}", code: code) else {
            Issue.record("not unsupported")
            return
        }
        #expect(detail == "why")
    }

    @Test(arguments: ["408", "500", "200", "x", "", "-1"])
    func otherErrorsAreUnavailable(_ code: String) throws {
        #expect(reason(try read("{}", code: code)) != nil)
    }
}
