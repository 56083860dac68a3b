import AccessPolicy
import CheckEngine
import CheckModel
import Configuration
@testable import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import SocketIO
import StrictJSON
import Synchronization
import Testing

/// `from` of a batch: where each check runs, and what its item says.
@Suite struct BatchPlacesTests {
    private func vantage(_ name: String, _ labels: [String: String] = [:]) throws -> Vantage {
        Vantage(place: try #require(PlaceName(name)), labels: labels)
    }

    private func fleet() throws -> FakeFleet {
        FakeFleet([
            try vantage("ams", ["region": "eu"]), try vantage("fra", ["region": "eu"]),
            try vantage("nyc", ["region": "us"]),
        ])
    }

    private func batch(_ from: String, fleet: (any FleetAsking)?, checks: String = "{}") throws(Problem) -> BatchRequest
    {
        let settings = ServiceSettings(
            checkContext: CheckContext(policy: nil), permissions: RequestPermissions(dialogs: .any, options: []),
            hosts: HostRule(names: []), tokens: TokenRule(tokens: []), maximumTimeoutMilliseconds: 60_000,
            bodyBytes: 1 << 20, fleet: fleet, prober: nil)
        return try BatchDecoder.batch(Array(#"{"checks":[\#(checks)],"from":\#(from)}"#.utf8), under: settings)
    }

    @Test(arguments: [
        (#""any""#, ["any"]), (#"["nyc"]"#, ["nyc"]), (#"["nyc","here","nyc","new"]"#, ["nyc", "here", "new"]),
        (#"{"labels":{"region":"eu"}}"#, ["ams", "fra"]), (#"{"labels":{"region":"eu"},"limit":1}"#, ["ams"]),
        (#"["fra",{"labels":{}}]"#, ["fra", "ams", "nyc"]), (#"{"labels":{"region":"asia"}}"#, ["nowhere"]),
    ])
    func destinationsAreTheKnownPlaces(from: String, expected: [String]) throws {
        let places = try #require(try batch(from, fleet: try fleet()).from)
        #expect(places.destinations.map { $0.text ?? "\($0)" } == expected)
        for index in 0..<6 { #expect(places.destination(of: index) == places.destinations[index % expected.count]) }
    }

    @Test(arguments: [
        (#""all""#, "/from"), ("1", "/from"), ("null", "/from"), ("[]", "/from"), (#"["*"]"#, "/from/0"),
        (#"{"limit":1}"#, "/from/labels"), (#"[{"labels":{},"limit":0}]"#, "/from/0/limit"),
    ])
    func anInvalidListIsRefused(from: String, pointer: String) throws {
        let problem = #expect(throws: Problem.self) { try batch(from, fleet: try fleet()) }
        #expect(problem?.errors.map(\.pointer) == [pointer])
    }

    @Test func withoutAFleetNoPlaceCanBeAsked() throws {
        let problem = #expect(throws: Problem.self) { try batch(#""any""#, fleet: nil) }
        #expect(problem?.kind == .badRequest && problem?.errors.map(\.pointer) == ["/from"])
        #expect(try batch(#"["here","here"]"#, fleet: nil).from?.destinations == [.here])
        #expect(throws: Problem.self) { try batch(#"["here","fra"]"#, fleet: nil) }
    }

    private func request(_ expectation: CheckModel.Expectation = .transportSuccess) throws -> CheckRequest {
        var request = CheckRequest(target: try Target(parsing: "tcp://t:1"), timeoutMilliseconds: 100)
        request.expectation = expectation
        return request
    }

    @Test func thePlaceGetsTheCheckWithTheDefaults() async throws {
        let fleet = FakeFleet(named: []) { _ in remoteAnswer("nyc", "connected") }
        let decoded = try batch(#"["nyc","any-1"]"#, fleet: fleet, checks: #"{"target":"tcp://t:1","id":"7"}"#)
        let items = RemoteItems(try #require(decoded.from), items: decoded.items, client: "ops")
        guard case .finished = await items.ask(0, try request()) else { throw Problem(.notFound, "no result") }
        let question = try #require(fleet.questions.withLock { $0.first })
        #expect(String(decoding: question.body, as: UTF8.self) == #"{"target":"tcp://t:1","id":"7"}"#)
        #expect(question.place?.text == "nyc" && question.client == "ops")
        #expect(question.deadline.since(Clock.now()) > 200_000_000, "time to ask twice")
    }

    @Test func aPlaceThatDoesNotAnswerIsNotAFailureOfTheTarget() throws {
        let (report, isOK) = RemoteItems.refusal(
            .unavailable(reason: "no answer"), of: try request(.not(.connected)), isCancelled: false)
        #expect(report.name == "PLACE_UNAVAILABLE" && report.fault == .prober && !isOK)
        #expect(report.errorClass == .proberExhausted && report.retryable && report.hint.contains("no answer"))
    }

    @Test func aDenialOfThePlaceIsADenial() throws {
        let answer = FleetAnswer.forbidden(place: "nyc", detail: "not allowed")
        let (report, isOK) = RemoteItems.refusal(answer, of: try request(), isCancelled: false)
        #expect(report.name == "DENIED" && report.fault == .request && !isOK && report.hint.contains("the place nyc"))
        #expect(RemoteItems.refusal(answer, of: try request(.oneOf([.failed(.denied)])), isCancelled: false).isOK)
        let other = FleetAnswer.unsupported(place: nil, detail: "is not a known member")
        #expect(RemoteItems.refusal(other, of: try request(), isCancelled: false).report.name == "INVALID")
        #expect(RemoteItems.refusal(answer, of: try request(), isCancelled: true).report.name == "CANCELLED")
    }

    @Test func anItemHasTheResultOfThePlace() throws {
        guard
            case .finished(let result) = remoteAnswer(
                "nyc", "connected",
                more: [
                    .init(key: "place", value: .string("liar")), .init(key: "index", value: .integer(9)),
                    .init(key: "new\n", value: .object(JSONObject(members: []))),
                ])
        else { throw Problem(.notFound, "no result") }
        let encoder = BatchEncoder(form: .lines, results: ResultEncoder(prober: "hub"), origin: nil)
        #expect(
            String(decoding: encoder.bytes(of: 4, result), as: UTF8.self)
                == #"{"schema":1,"index":4,"place":"nyc","target":"tcp://t:1","ok":true,"outcome":"connected","new\n":{}}"#
                + "\n")
        let document = BatchEncoder(form: .document, results: ResultEncoder(prober: "hub"), origin: nil)
        #expect(
            String(decoding: document.bytes(of: 4, result), as: UTF8.self).hasPrefix(#"{"schema":1,"place":"nyc","#))
    }

    @Test func anUnknownOutcomeIsCounted() throws {
        guard case .finished(let result) = remoteAnswer("nyc", "teleported") else { return }
        #expect(result.knownOutcome == .failed(.unclassified))
    }
}
