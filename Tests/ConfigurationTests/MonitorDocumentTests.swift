@testable import Configuration
import StrictJSON
import Testing

@Suite struct MonitorDocumentTests {
    @Test func aMonitorNeedsANameAndACheck() throws {
        let monitors = try load("monitors: [{name: db, check: {target: \"tcp://db:5432\"}}]").settings.monitors
        #expect(monitors.count == 1)
        #expect(monitors[0].name == "db" && !monitors[0].isRequired && monitors[0].intervalMilliseconds == 10_000)
        #expect(monitors[0].upAfter == 1 && monitors[0].downAfter == 1)
        #expect(try monitors[0].check.value == JSONValue.parse(Array(#"{"target":"tcp://db:5432"}"#.utf8)))
    }

    @Test func everyMemberOfACheckKeepsItsType() throws {
        let text = """
            monitors:
              - name: a.b-c_1
                required: true
                interval_ms: 100
                up_after: 2
                down_after: 1000
                check:
                  target: {transport: tcp, host: h, port: 443}
                  timeout_ms: 5
                  tls: true
                  labels: {k: "1"}
                  dialog: [{expect: ^220}]
                  id: null
            """
        let monitor = try #require(try load(text).settings.monitors.first)
        #expect(monitor.isRequired && monitor.intervalMilliseconds == 100 && monitor.downAfter == 1000)
        let json = """
            {"target":{"transport":"tcp","host":"h","port":443},"timeout_ms":5,"tls":true,"labels":{"k":"1"},\
            "dialog":[{"expect":"^220"}],"id":null}
            """
        #expect(try monitor.check.value == JSONValue.parse(Array(json.utf8)))
    }

    @Test(arguments: [
        ("monitors: {}", "1:11: monitors: must be a list, got a mapping"),
        ("monitors: [{check: {target: \"a:1\"}}]", "1:12: monitors[0]: is missing the key \"name\""),
        ("monitors: [{name: a}]", "1:12: monitors[0]: is missing the key \"check\""),
        (
            "monitors: [{name: a, check: {}, every: 5}]",
            "1:33: monitors[0].every: is not a known key"
        ),
        (
            "monitors: [{name: a, confirm: {ask: 1}, check: {}}]",
            "1:31: monitors[0].confirm: agree must be at most ask, got agree 2 and ask 1"
        ),
        (
            "monitors: [{name: a, confirm: {ask: 101}, check: {}}]",
            "1:37: monitors[0].confirm.ask: must be from 1 to 100, got 101"
        ),
        (
            "monitors: [{name: a, confirm: {agree: 0}, check: {}}]",
            "1:39: monitors[0].confirm.agree: must be from 1 to 100, got 0"
        ),
        (
            "monitors: [{name: a, confirm: {form: [x]}, check: {}}]",
            "1:32: monitors[0].confirm.form: is not a known key (did you mean \"from\"?)"
        ),
        (
            "monitors: [{name: a, confirm: {}, check: {}}]",
            "1:31: monitors[0].confirm: needs a fleet, which asks the other places: set the key fleet, or remove confirm"
        ),
        (
            "monitors: [{name: a, interval_ms: 99, check: {}}]",
            "1:35: monitors[0].interval_ms: must be from 100 to 86400000, got 99"
        ),
        (
            "monitors: [{name: a, required: yes, check: {}}]",
            "1:32: monitors[0].required: must be true or false, got yes, which YAML reads as a boolean"
        ),
        (
            "monitors: [{name: \"a b\", check: {}}]",
            "1:19: monitors[0].name: must be 1 to 64 letters, digits, \".\", \"_\" or \"-\""
        ),
        (
            "monitors:\n  - {name: a, check: {}}\n  - {name: a, check: {}}",
            "3:12: monitors[1].name: is a duplicate: an earlier monitor has this name"
        ),
        (
            "monitors: [{name: a, check: {target: x, target: y}}]",
            "1:41: monitors[0].check: has the key \"target\" twice"
        ),
        (
            "monitors: [{name: a, check: {timeout_ms: 0x10}}]",
            "1:42: monitors[0].check.timeout_ms: is ambiguous, got 0x10, which some YAML readers take for a number or date: put it in quotes"
        ),
    ])
    func aBadMonitorHasItsProblemWithPosition(text: String, expected: String) {
        let error = #expect(throws: ConfigurationProblems.self) { try load(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test func confirmHasItsDefaults() throws {
        let fleet = "fleet: {servers: ['nats://a'], answers: false}\n"
        let monitors = try load(
            fleet + "monitors: [{name: a, check: {}}, {name: b, confirm: {}, check: {}}, "
                + "{name: c, confirm: {from: [x, {labels: {r: eu}}], ask: 5, agree: 4}, check: {}}]"
        ).settings.monitors
        #expect(monitors[0].confirm == nil)
        #expect(monitors[1].confirm?.ask == 3 && monitors[1].confirm?.agree == 2 && monitors[1].confirm?.from == nil)
        #expect(monitors[2].confirm?.ask == 5 && monitors[2].confirm?.agree == 4)
        let from = try JSONValue.parse(Array(#"["x",{"labels":{"r":"eu"}}]"#.utf8))
        #expect(monitors[2].confirm?.from?.value == from)
    }

    @Test func aProblemOfFromHasItsPosition() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "fleet: {servers: ['nats://a'], answers: false}\n"
                + "monitors: [{name: a, check: {}, confirm: {from: [nyc, fra]}}]\n", to: "connectd.yaml")
        let error = #expect(throws: ConfigurationProblems.self) {
            try SettingsLoader.load(
                file: file, judgePlaces: { _, _ in [JSONProblem(pointer: "/1", detail: "is wrong")] })
        }
        #expect(error?.description.contains(":2:55: monitors[0].confirm.from[1]: is wrong") == true, "\(error)")
    }

    @Test func aProblemOfACheckHasItsLine() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "monitors:\n  - name: a\n    check:\n      target: x\n      dialog:\n        - {expect: \"(\"}\n",
            to: "c.yaml")
        let error = #expect(throws: ConfigurationProblems.self) {
            try SettingsLoader.load(
                file: file,
                judgeCheck: { _, _ in
                    [
                        JSONProblem(pointer: "/target", detail: "has no port"),
                        JSONProblem(pointer: "/dialog/0/expect", detail: "is not a pattern"),
                        JSONProblem(pointer: "/tls/ca", detail: "is missing"),
                    ]
                })
        }
        let lines = error?.description.split(separator: "\n").map {
            $0.split(separator: "/").last.map(String.init) ?? ""
        }
        #expect(
            lines == [
                "c.yaml:4:7: monitors[0].check.tls.ca: is missing",
                "c.yaml:4:15: monitors[0].check.target: has no port",
                "c.yaml:6:20: monitors[0].check.dialog[0].expect: is not a pattern",
            ])
    }
}
