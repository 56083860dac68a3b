import CheckModel
import Testing

@testable import Fleet

@Suite struct FleetSubjectsTests {
    private let subjects = FleetSubjects(prefix: "connectd")

    @Test func ofChecks() throws {
        let place = try #require(PlaceName("fra-1_b"))
        #expect(subjects.anyCheck == "connectd.check")
        #expect(subjects.check(at: place) == "connectd.check.fra-1_b")
        #expect(FleetSubjects.inbox(of: place, "xyz") == "_INBOX.connectd.fra-1_b.xyz")
    }

    @Test(arguments: ["connectd.check", "connectd.check.fra1", "connectd", "$SRV.PING", "$JS.API", "$SYS.x"])
    func noAnswerIsARequest(_ subject: String) {
        #expect(!subjects.mayReceiveAnswers(subject))
    }

    @Test(arguments: ["_INBOX.x", "connectd2.check", "answers"])
    func answersGoToInboxes(_ subject: String) {
        #expect(subjects.mayReceiveAnswers(subject))
    }

    @Test(arguments: [
        "a.b", "a*", ">", "", "a b", "here", "any", "é", "a\u{0}", "a\n", String(repeating: "a", count: 64),
    ])
    func invalidPlaces(_ text: String) {
        #expect(PlaceName(text) == nil)
    }

    @Test func placesOfHosts() {
        #expect(PlaceName(hostName: "web-1.example.com").text == "web-1-example-com")
        #expect(PlaceName(hostName: "").text == "host-unnamed")
        #expect(PlaceName(hostName: "here").text == "host-here")
        #expect(PlaceName(hostName: String(repeating: "x", count: 80)).text.count == 63)
    }

    @Test func valuesOfHeadersAreOneLine() {
        #expect(FleetHeader.value("a\r\nb é") == "a??b ??")
        #expect(FleetHeader.value(String(repeating: "x", count: 300)).utf8.count == 256)
    }

    @Test(arguments: [nil, "", "a b", "a\nb", "é", String(repeating: "x", count: 129)])
    func invalidAskersAreUnknown(_ name: String?) {
        #expect(FleetHeader.askerName(name) == "unknown")
    }

    @Test func askersKeepTheirNames() {
        #expect(FleetHeader.askerName("hub1/grafana") == "hub1/grafana")
    }
}
