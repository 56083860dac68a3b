import CheckEngine
import CheckModel
import ConnectAPI
import NetworkTypes
import StrictJSON
import Synchronization
import Testing

@testable import Fleet

/// Answers from a table, and records the questions.
private final class TableFleet: FleetAsking {
    private let known: [Vantage]
    private let answers: [String: FleetAnswer]
    private let log = Mutex<[String]>([])

    init(_ known: [Vantage], _ answers: [String: FleetAnswer] = [:]) {
        self.known = known
        self.answers = answers
    }

    var asked: [String] { log.withLock { $0.sorted() } }

    func vantages() -> [Vantage] { known }

    func ask(_ question: FleetQuestion) async -> FleetAnswer {
        let name = question.place?.text ?? ""
        log.withLock { $0.append(name) }
        return answers[name] ?? .unavailable(reason: "no answer came in time")
    }
}

@Suite struct SurveyRunTests {
    private func place(_ name: String) throws -> PlaceName { try #require(PlaceName(name)) }

    private func survey(
        from: [VantageSelector], _ change: (inout CheckRequest) -> Void = { _ in }
    ) throws -> SurveyRequest {
        var request = CheckRequest(target: try Target(parsing: "10.0.0.7:22"), timeoutMilliseconds: 1000)
        change(&request)
        return SurveyRequest(check: PreparedCheck(request: request), body: Array("{}".utf8), from: from)
    }

    private func result(of name: String, _ text: String) throws -> FleetAnswer {
        let document = try #require(try JSONValue.parse(Array(text.utf8)).object)
        return .finished(RemoteResult(place: try place(name), document: document, isOK: true, outcome: "connected"))
    }

    private func entries(_ survey: SurveyRequest, _ plan: SurveyPlan, _ fleet: TableFleet) async throws -> [SurveyEntry]
    {
        var found: [Int: SurveyEntry] = [:]
        let run = SurveyRun(
            survey, plan, fleet: fleet, local: { .finished(Array(#"{"ok":true,"outcome":"connected"}"#.utf8)) })
        try await run.run { index, entry in found[index] = entry }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    @Test func asksEachPlaceOnce() async throws {
        let fra = try place("fra1")
        let fleet = TableFleet(
            [Vantage(place: fra, labels: ["region": "eu"])],
            ["fra1": try result(of: "fra1", #"{"ok":true,"outcome":"connected"}"#)])
        let survey = try survey(from: [.here, .place(fra), .labels(["region": "eu"], limit: nil), .here])
        let plan = SurveyPlan(survey.from, among: fleet.vantages(), own: .init())
        let entries = try await entries(survey, plan, fleet)
        #expect(entries.map(\.place) == ["here", "fra1"])
        #expect(entries.map(\.status) == [.finished, .finished])
        #expect(fleet.asked == ["fra1"])
    }

    @Test func statuses() async throws {
        let names = ["a", "b", "c", "d"]
        let places = try names.map { try place($0) }
        let fleet = TableFleet(
            [],
            [
                "a": .forbidden(place: "a", detail: "the policy denies it"),
                "b": .unsupported(place: "b", detail: "it is too old"),
                "c": try result(of: "c", #"{"ok":false,"outcome":"refused","error":{"fault":"target"}}"#),
            ])
        let survey = try survey(from: places.map(VantageSelector.place))
        let plan = SurveyPlan(survey.from, among: [], own: .init(place: try place("me")))
        let entries = try await entries(survey, plan, fleet)
        #expect(entries.map(\.status) == [.forbidden, .unsupported, .finished, .unavailable])
        #expect(entries[3].detail == "no answer came in time")
        let conclusion = SurveyConclusion(of: entries, quorum: 1)
        #expect(conclusion.verdict == SurveyVerdict(.down, .target))
    }

    @Test func ownPlaceIsHere() async throws {
        let own = SurveyPlan.Instance(place: try place("fra1"), labels: ["region": "eu"])
        let plan = SurveyPlan([.place(try place("fra1")), .here], among: [], own: own)
        #expect(plan.stops == [SurveyPlan.Stop(name: "fra1", labels: ["region": "eu"], place: nil)])
    }

    @Test func labelsWithoutAPlaceAreKept() throws {
        let plan = SurveyPlan([.labels(["region": "mars", "tier": "a"], limit: 2)], among: [], own: .init())
        #expect(plan.stops.isEmpty)
        #expect(plan.unmatched == ["region=mars, tier=a"])
    }

    @Test func concurrencyIsBounded() async throws {
        let places = try (0..<20).map { try place("p\($0)") }
        let survey = try survey(from: places.map(VantageSelector.place))
        let fleet = TableFleet([])
        var run = SurveyRun(
            survey, SurveyPlan(survey.from, among: [], own: .init()), fleet: fleet, local: { .unavailable("") })
        run.concurrency = 3
        var count = 0
        try await run.run { _, _ in count += 1 }
        #expect(count == 20)
        #expect(fleet.asked.count == 20)
    }

    @Test func limitHasRoundsTraceAndGrace() throws {
        #expect(try survey(from: [.here]).limitMilliseconds == 2000)
        var rounds = try survey(from: [.here]) { request in
            request.count = 3
            request.intervalMilliseconds = 100
        }
        rounds.graceMilliseconds = 500
        #expect(rounds.limitMilliseconds == 3 * 1000 + 2 * 100 + 500)
        let traced = try survey(from: [.here]) { request in
            request.trace = TraceOptions(when: .onFailure, timeoutMilliseconds: 2000)
        }
        #expect(traced.limitMilliseconds == 1000 + 2000 + 1000)
    }
}
