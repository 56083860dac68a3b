import CheckModel
import ConnectAPI
import NetworkTypes
import SocketIO
import Testing

@testable import Fleet

@Suite struct VantageTableTests {
    private let start = Clock.now()

    private func info(_ instance: String, _ place: String, labels: [String: String] = [:]) throws -> VantageInfo {
        var labelText = ""
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) { labelText += ",\"\(name)\":\"\(value)\"" }
        return try #require(
            VantageInfo(Self.answer(instance, place: place, labels: labelText), checkSubject: "connectd.check"))
    }

    private static func answer(
        _ instance: String = "one", name: String = "connectd", place: String = "fra1", labels: String = "",
        subject: String = "connectd.check"
    ) -> [UInt8] {
        Array(
            """
            {"type":"io.nats.micro.v1.info_response","name":"\(name)","id":"\(instance)","version":"0.1.0",
             "metadata":{"place":"\(place)"\(labels)},"endpoints":[{"name":"check","subject":"\(subject)"}]}
            """.utf8)
    }

    private func note(_ table: inout VantageTable, _ info: VantageInfo, atSecond second: Int, rtt: Double = 1) {
        table.note(
            info, at: start.advanced(byMilliseconds: second * 1000), wallNanoseconds: Int64(second) * 1_000_000_000,
            roundTripMilliseconds: rtt)
    }

    private func expire(_ table: inout VantageTable, atSecond second: Int) {
        table.expire(
            at: start.advanced(byMilliseconds: second * 1000), wallNanoseconds: Int64(second) * 1_000_000_000)
    }

    @Test func instancesOfOnePlaceAreOneVantage() throws {
        var table = VantageTable()
        note(&table, try info("a", "fra1", labels: ["region": "eu"]), atSecond: 1, rtt: 3)
        note(&table, try info("b", "fra1", labels: ["region": "eu"]), atSecond: 2, rtt: 2)
        note(&table, try info("c", "ams1"), atSecond: 2)
        #expect(table.vantages.map(\.place.text) == ["ams1", "fra1"])
        let place = table.vantages[1]
        #expect(place.instances == 2)
        #expect(place.labels == ["region": "eu"])
        #expect(place.roundTripMilliseconds == 2)
        #expect(place.sinceNanoseconds == 1_000_000_000)
    }

    @Test func aPlaceIsGoneWhenItsLastInstanceIs() throws {
        var table = VantageTable()
        note(&table, try info("a", "fra1"), atSecond: 0)
        note(&table, try info("b", "fra1"), atSecond: 20)
        expire(&table, atSecond: 40)
        #expect(table.vantages.map(\.instances) == [1])
        #expect(table.vantages.map(\.state) == [.up])
        expire(&table, atSecond: 60)
        #expect(table.vantages.map(\.state) == [.gone])
        #expect(table.vantages.map(\.instances) == [0])
        #expect(table.vantages.map(\.sinceNanoseconds) == [60_000_000_000])
        note(&table, try info("c", "fra1"), atSecond: 70)
        #expect(table.vantages.map(\.state) == [.up])
        #expect(table.vantages.map(\.sinceNanoseconds) == [70_000_000_000])
    }

    @Test func aPlaceThatIsGoneIsForgottenLater() throws {
        var table = VantageTable()
        note(&table, try info("a", "fra1"), atSecond: 0)
        expire(&table, atSecond: 33)
        expire(&table, atSecond: 33 + 3600)
        #expect(table.vantages.count == 1)
        expire(&table, atSecond: 34 + 3600)
        #expect(table.vantages.isEmpty)
    }

    @Test func theNumberOfInstancesIsLimited() throws {
        var table = VantageTable()
        for number in 0..<VantageTable.longest + 10 { note(&table, try info("i\(number)", "fra1"), atSecond: 0) }
        #expect(table.instanceCount == VantageTable.longest)
        note(&table, try info("i0", "ams1"), atSecond: 1)
        #expect(table.vantages.map(\.place.text) == ["ams1", "fra1"], "a known instance is still noted")
    }

    @Test func aLargeFleetIsAskedLessOften() throws {
        var table = VantageTable()
        #expect(table.periodMilliseconds == 10_000)
        for number in 0..<1000 { note(&table, try info("i\(number)", "fra1"), atSecond: 0) }
        #expect(table.periodMilliseconds == 100_000)
        expire(&table, atSecond: 302)
        #expect(table.instanceCount == 1000)
        expire(&table, atSecond: 303)
        #expect(table.instanceCount == 0)
    }

    @Test func readsLabels() throws {
        let info = try info("a", "fra1", labels: ["region": "eu", "zone": "b"])
        #expect(info.labels == ["region": "eu", "zone": "b"])
        #expect(info.place.text == "fra1")
        #expect(info.version == "0.1.0")
    }

    @Test(arguments: [
        answer(name: "other"), answer(subject: "staging.check"), answer(place: "a.b"), answer(place: "*"),
        answer(place: ">"), answer(place: ""), answer(place: "here"), answer(""),
        answer(String(repeating: "x", count: 65)),
        Array("{}".utf8), Array("[]".utf8), Array("no".utf8), [], Array(repeating: 0x20, count: 70_000) + answer(),
    ])
    func ignoresOtherAnswers(_ payload: [UInt8]) {
        #expect(VantageInfo(payload, checkSubject: "connectd.check") == nil)
    }
}
