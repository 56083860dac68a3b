import CheckModel
import Configuration
import ErrorCatalogue
import NetworkTypes
import Reachability
import StrictJSON
import Testing

/// Rules with `from`.
@Suite struct PlaceMatrixTests {
    private func inPlaces(_ cases: [VerifiedCase], _ names: [String?]) -> [VerifiedCase] {
        names.flatMap { name in
            cases.map {
                VerifiedCase($0.reachabilityCase.checked(at: name.flatMap(PlaceName.init)), $0.result, $0.judgment)
            }
        }
    }

    @Test func cellsShowTheVerdictOfEachPlace() throws {
        let read = try policy(
            """
            version: 1
            rules:
              - {name: a, to: ["tls://10.2.0.0:443", "tcp://10.2.0.1:5"], expect: blocked}
            """)
        let blocked = inPlaces(verified(read) { _ in .deadline() }, ["fra1"])
        let open = inPlaces(verified(read) { _ in .connected }, [nil])
        let missing = read.cases()[0].checked(at: PlaceName("ams"))
        #expect(
            PlaceMatrix(blocked + open, unfinished: [missing]).lines == [
                "                    fra1  here  ams",
                "tls://10.2.0.0:443     x     !    ?",
                "tcp://10.2.0.1:5       x     !",
            ])
    }

    @Test func theListOfPlacesIsKeptWithItsPositions() throws {
        let read = try rulePolicy("{name: a, from: [fra1, {labels: {r: eu}}], to: [db], ports: [22], expect: open}")
        let from = try #require(read.rules[0].from)
        #expect(try from.value == JSONValue.parse(Array(#"["fra1",{"labels":{"r":"eu"}}]"#.utf8)))
        let problem = from.problem(JSONProblem(pointer: "/1/labels", detail: "is wrong"), file: "p.yaml")
        #expect(problem.description == "p.yaml:4:37: rules[0].from[1].labels: is wrong")
        #expect(try rulePolicy("{to: [db], ports: [22], expect: open}").rules[0].from == nil)
    }

    @Test func aCaseOfAnotherPlaceIsAnotherCase() throws {
        func record(_ place: String?, _ verdict: String) -> CaseRecord {
            CaseRecord(rule: "r", target: "t", place: place, verdict: verdict, outcome: "refused")
        }
        let before = [record("a", "pass"), record("b", "pass")]
        let diff = VerificationDiff(
            from: before, to: [record("a", "pass"), record("b", "violation"), record(nil, "pass")])
        #expect(diff.unchanged == 1 && diff.changes.map(\.word) == ["changed", "new"])
        let line = #"{"rule":"r","place":"a","target":"t","verdict":"pass","outcome":"refused"}"#
        #expect(try CaseRecord(line: Array(line.utf8)) == record("a", "pass"))
    }
}
