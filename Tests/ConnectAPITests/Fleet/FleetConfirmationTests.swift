import CheckEngine
import CheckModel
@testable import ConnectAPI
import NetworkTypes
import StrictJSON
import Synchronization
import Testing

/// `monitors[].confirm`: which places are asked, and what counts.
@Suite struct FleetConfirmationTests {
    private func confirmation(
        _ fleet: (any FleetAsking)?, monitor: String = "db", from: [VantageSelector] = [], ask: Int = 3, agree: Int = 2
    ) throws -> FleetConfirmation {
        FleetConfirmation(
            monitor: monitor, fleet: fleet, ownPlace: PlaceName("own"), selectors: from, ask: ask, agree: agree,
            check: try JSONValue.parse(Array(#"{"target":"tcp://t:1","trace":true}"#.utf8)),
            request: CheckRequest(target: try Target(parsing: "tcp://t:1")))
    }

    private let names = (0..<10).map { "p\($0)" }

    @Test func theSamePlacesAreAskedForAMonitor() throws {
        let vantages = (names + ["own"]).compactMap(PlaceName.init).map { Vantage(place: $0) }
        let first = try confirmation(nil).places(of: vantages)
        #expect(first.count == 3 && Set(first).count == 3 && !first.contains { $0.text == "own" })
        #expect(try confirmation(nil).places(of: vantages.reversed()) == first)
        // Without a place that was not chosen, the choice is the same.
        let others = vantages.filter { vantage in !first.contains(vantage.place) }
        #expect(try confirmation(nil).places(of: vantages.filter { $0.place != others[0].place }) == first)
        // Without the first one, the others stay.
        let rest = try confirmation(nil).places(of: vantages.filter { $0.place != first[0] })
        #expect(Array(rest.prefix(2)) == Array(first.dropFirst()))
    }

    @Test func monitorsAreSpreadOverThePlaces() throws {
        let vantages = names.compactMap(PlaceName.init).map { Vantage(place: $0) }
        var counts: [PlaceName: Int] = [:]
        for index in 0..<1000 {
            for place in try confirmation(nil, monitor: "m\(index)").places(of: vantages) {
                counts[place, default: 0] += 1
            }
        }
        #expect(counts.count == 10 && counts.values.allSatisfy { (200...400).contains($0) }, "\(counts)")
    }

    @Test func placesThatAreGoneAreAskedLast() throws {
        var vantages = names.prefix(3).compactMap(PlaceName.init).map { Vantage(place: $0) }
        for index in 0..<2 { vantages[index].state = .gone }
        #expect(try confirmation(nil, ask: 1).places(of: vantages) == [vantages[2].place])
        let named = [VantageSelector.place(try #require(PlaceName("x"))), .place(vantages[2].place)]
        #expect(try confirmation(nil, from: named).places(of: vantages).map(\.text) == ["p2", "x"])
    }

    @Test(arguments: [
        ("refused", "target", ConfirmationReport.Opinion.Kind.failed), ("timeout", "network", .failed),
        ("prober_exhausted", "prober", .notCounted), ("resolve_failed", "resolver", .notCounted),
        ("denied", "request", .notCounted), ("connected", "", .ok),
    ])
    func onlyFailuresThatAreAboutTheTargetCount(
        outcome: String, fault: String, kind: ConfirmationReport.Opinion.Kind
    ) async throws {
        let fleet = FakeFleet(named: ["a", "b"]) {
            remoteAnswer($0.place?.text ?? "", outcome, fault: fault.isEmpty ? nil : fault)
        }
        let report = try await confirmation(fleet).confirm()
        #expect(report.opinions.map(\.kind) == [kind, kind] && report.isConfirmed == (kind == .failed))
        #expect(fleet.questions.withLock { $0.count } == 2)
        let body = fleet.questions.withLock { String(decoding: $0[0].body, as: UTF8.self) }
        #expect(body == #"{"target":"tcp://t:1"}"#, "without the trace")
    }

    @Test func placesThatDoNotAnswerAreNotFailures() async throws {
        let fleet = FakeFleet(named: ["a", "b", "c"]) { question in
            switch question.place?.text {
            case "a": remoteAnswer("a", "timeout", fault: "network")
            case "b": .unavailable(reason: "no answer came in time")
            default: .forbidden(place: "c", detail: "denied there")
            }
        }
        let report = try await confirmation(fleet).confirm()
        #expect(!report.isConfirmed && report.count(of: .failed) == 1 && report.count(of: .unavailable) == 1)
        #expect(report.count(of: .notCounted) == 1)
        #expect(report.summary == "1 of 3 places could not connect either; 2 must agree before the monitor is down.")
    }

    @Test func withoutPlacesNothingIsConfirmed() async throws {
        let alone = try await confirmation(FakeFleet(named: [])).confirm()
        #expect(!alone.isConfirmed && alone.summary.contains("no other place is known"))
        let none = try await confirmation(nil).confirm()
        #expect(!none.isConfirmed && none.summary.contains("without a fleet"))
        let silent = try await confirmation(FakeFleet(named: ["a"])).confirm()
        #expect(silent.summary.contains("None of 1 place answered"))
    }

    @Test(arguments: [
        (#"["a","b"]"#, []), (#"[{"labels":{"r":"eu"}},"a"]"#, []),
        (#"["here","a","b"]"#, ["must not contain here: other places confirm that a check fails here"]),
        (#"["a","a"]"#, ["must name at least as many places as must agree (2), got 1"]),
        (#"[]"#, ["must have from 1 to 1000 elements, got 0"]), (#""any""#, ["must be an array, got a string"]),
        (
            #"["a.b","c"]"#,
            ["must have 1 to 63 letters, digits, - and _, and not be here or any: the name of a place, such as fra1"]
        ),
    ])
    func theListIsValidated(text: String, problems: [String]) throws {
        let found = PlaceList.confirming(try JSONValue.parse(Array(text.utf8)), agree: 2).problems
        #expect(found.map(\.detail) == problems)
    }
}
