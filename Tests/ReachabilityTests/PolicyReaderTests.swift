import CheckModel
import Configuration
import ErrorCatalogue
import NetworkTypes
import Reachability
import StrictJSON
import Testing

@Suite struct PolicyReaderTests {
    @Test func everyKeyIsRead() throws {
        let read = try policy(
            """
            version: 1
            defaults: {timeout_ms: 2000, retry_timeouts: 1, per_host: 4, labels: {team: net}}
            sets: {db: [db1.internal, 10.2.0.0/30], web: ["[2001:db8::7]"]}
            rules:
              - {name: app reaches postgres, to: [db], ports: [5432, "8000-8009", "u:53"], expect: allowed,
                 control: "tcp://10.0.0.1:443", labels: {ticket: FW-1234}}
              - {name: no ssh to databases, to: [db, web], ports: [22], expect: blocked, rst_is_block: true}
              - {name: api certificate, to: ["tls://api.internal:443"], expect: open, check: {tls: {min_days_left: 14}}}
            """)
        #expect(read.pace.timeoutRetries == 1)
        #expect(read.pace.perHost == 4)
        #expect(read.rules.map(\.position.line) == [5, 7, 8])
        #expect(read.rules[0].expectation == .allowed)
        #expect(read.rules[0].control?.text == "tcp://10.0.0.1:443")
        #expect(
            read.rules[0].labels == [Label(name: "team", value: "net"), Label(name: "ticket", value: "FW-1234")])
        #expect(read.rules[1].resetIsBlock)
        #expect(read.rules[2].check.members.map(\.key) == ["timeout_ms", "tls"])
        let cases = read.cases()
        #expect(cases.count == 5 * 12 + 6 + 1)
        #expect(cases[0].target.text == "tcp://db1.internal:5432")
        #expect(cases[11].target.text == "udp://db1.internal:53")
        #expect(cases[12].target.text == "tcp://10.2.0.0:5432")
        #expect(cases[65].target.text == "tcp://[2001:db8::7]:22")
        #expect(cases[66].target.impliesTLS)
    }

    @Test func aRuleHasEachTargetOnce() throws {
        let read = try rulePolicy("{to: [db, 10.2.0.1, 10.2.0.0/31], ports: [22, \"20-22\", ssh], expect: blocked}")
        #expect(read.cases().count == 5 * 3)
    }

    @Test(arguments: [
        ("open", RuleExpectation.open), ("closed", .closed), ("refused", .outcomes(.oneOf([.failed(.refused)]))),
        ("\"!connected\"", .outcomes(.not(.connected))),
        ("[refused, timeout]", .outcomes(.oneOf([.failed(.refused), .failed(.timeout)]))),
    ]) func expectationsAreRead(text: String, expectation: RuleExpectation) throws {
        #expect(try rulePolicy("{to: [db], ports: [22], expect: \(text)}").rules[0].expectation == expectation)
    }

    @Test(arguments: [
        "10.0.0.7", "2001:db8::7", "\"[2001:db8::7]\"", "\"[fe80::1%eth0]\"", "localhost", "db.internal", "10.0.0.0/30",
        "\"2001:db8::/126\"",
    ]) func destinationsAreRead(text: String) throws {
        #expect(try rulePolicy("{to: [\(text)], ports: [22], expect: open}").cases().isEmpty == false)
    }

    @Test(arguments: [
        "unix:/run/app.sock", "tls://db.internal:443", "db.internal:443", "udp://10.0.0.1:53", "unix:@app",
    ])
    func fullTargetsAreRead(text: String) throws {
        #expect(try rulePolicy("{to: [\"\(text)\"], expect: open}").cases().map(\.target.text) == [text])
    }

    @Test func anchorsAndMergeKeysAreExpanded() throws {
        let read = try policy(
            """
            version: 1
            rules:
              - &base {name: a, to: [db.internal], ports: [1], expect: open}
              - <<: *base
                name: b
            """)
        #expect(read.rules.map(\.name) == ["a", "b"])
        #expect(read.rules[1].position.line == 4)
        #expect(read.cases().count == 2)
    }

    @Test func aByteOrderMarkAndWindowsLineEndsAreAccepted() throws {
        #expect(
            try policy("\u{FEFF}version: 1\r\nrules:\r\n  - {to: [a.b], ports: [1], expect: open}\r\n").rules.count == 1
        )
    }

    @Test func learningNeedsNoExpectation() throws {
        let text = "version: 1\nrules: [{to: [a.b], ports: [1]}]"
        #expect(try policy(text, needsExpectations: false).rules[0].expectation == nil)
        #expect(
            problems(text).map(\.reason) == ["is missing the key \"expect\": write open, allowed, closed or blocked"])
    }

    @Test func theNumberOfCasesIsLimited() throws {
        let found = problems("version: 1\nrules: [{to: [10.0.0.0/16], ports: [\"1-5\"], expect: open}]")
        #expect(found.count == 1)
        #expect(found[0].reason.contains("more than 262144 cases"))
        #expect(found[0].position == TextPosition(line: 2, column: 9))
        let ports = Array(repeating: "\"1-65535\"", count: 2000).joined(separator: ",")
        let hosts = Array(repeating: "10.0.0.0/16", count: 2000).joined(separator: ",")
        #expect(problems("version: 1\nrules: [{to: [\(hosts)], ports: [\(ports)], expect: open}]").count == 1)
        #expect(try rulePolicy("{to: [10.0.0.0/20], ports: [22], expect: blocked}").cases().count == 4096)
    }
}
