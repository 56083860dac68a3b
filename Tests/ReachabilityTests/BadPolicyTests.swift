import Configuration
import Reachability
import Testing

@Suite struct BadPolicyTests {
    /// A rule in line 4, from column 5 on; the column of its problem, the path below the rule, and a part of the reason.
    struct BadRule: Sendable {
        let text: String
        let column: Int
        let path: String
        let reason: String

        init(_ text: String, _ column: Int, _ path: String, _ reason: String) {
            self.text = text
            self.column = column
            self.path = path
            self.reason = reason
        }
    }

    private static let rules: [BadRule] = [
        BadRule("{to: [db], ports: [22]}", 5, "", "is missing the key \"expect\""),
        BadRule("{ports: [22], expect: open}", 5, "", "is missing the key \"to\": write to: [host]"),
        BadRule("{to: db, ports: [22], expect: open}", 10, ".to", "must be a list such as [db.internal]"),
        BadRule("{to: [], ports: [22], expect: open}", 10, ".to", "must not be empty"),
        BadRule("{to: [dbs], ports: [22], expect: open}", 11, ".to[0]", "\"dbs\" is not a set (did you mean \"db\"?)"),
        BadRule("{to: [redis], ports: [22], expect: open}", 11, ".to[0]", "redis: [redis]"),
        BadRule("{to: [10.2.0.1/30], ports: [22], expect: open}", 11, ".to[0]", "write 10.2.0.0/30"),
        BadRule("{to: [10.0.0.0/8], ports: [22], expect: open}", 11, ".to[0]", "at least /16"),
        BadRule("{to: ['2001:db8::/64'], ports: [22], expect: open}", 11, ".to[0]", "at least /112"),
        BadRule("{to: [0.0.0.0/0], ports: [22], expect: open}", 11, ".to[0]", "more than 65536 addresses"),
        BadRule("{to: [127.1], ports: [22], expect: open}", 11, ".to[0]", "put it in quotes"),
        BadRule("{to: [a b], ports: [22], expect: open}", 11, ".to[0]", "white space"),
        BadRule("{to: [db], expect: open}", 11, ".to[0]", "add ports to the rule"),
        BadRule("{to: ['tls://a.b:1'], ports: [22], expect: open}", 11, ".to[0]", "a port of its own"),
        BadRule("{to: ['tls://a.b'], expect: open}", 11, ".to[0]", "has no port"),
        BadRule("{to: [db], ports: 22, expect: open}", 23, ".ports", "must be a list such as [443]"),
        BadRule("{to: [db], ports: [], expect: open}", 23, ".ports", "must not be empty"),
        BadRule("{to: [db], ports: [0], expect: open}", 24, ".ports[0]", "from 1 to 65535"),
        BadRule("{to: [db], ports: [65536], expect: open}", 24, ".ports[0]", "from 1 to 65535"),
        BadRule("{to: [db], ports: [9-8], expect: open}", 24, ".ports[0]", "runs backward: write 8-9"),
        BadRule("{to: [db], ports: ['u:9-8'], expect: open}", 24, ".ports[0]", "write u:8-9"),
        BadRule("{to: [db], ports: ['udp:53'], expect: open}", 24, ".ports[0]", "write u:53"),
        BadRule("{to: [db], ports: ['8000-x'], expect: open}", 24, ".ports[0]", "is not a port"),
        BadRule("{to: [db], ports: ['022'], expect: open}", 24, ".ports[0]", "leading zero"),
        BadRule("{to: [db], ports: [htps], expect: open}", 24, ".ports[0]", "did you mean"),
        BadRule("{to: [db], ports: [true], expect: open}", 24, ".ports[0]", "reads as a boolean"),
        BadRule("{to: [db], ports: [22], expect: block}", 37, ".expect", "did you mean blocked?"),
        BadRule("{to: [db], ports: [22], expect: denied}", 37, ".expect", "can never pass"),
        BadRule("{to: [db], ports: [22], expect: [open, refused]}", 38, ".expect[0]", "cannot be in a list"),
        BadRule("{to: [db], ports: [22], expect: []}", 37, ".expect", "must not be empty"),
        BadRule("{to: [db], ports: [22], expect: '!blocked'}", 37, ".expect", "is not an expectation"),
        BadRule("{to: [db], ports: [22], expect: open, from: x}", 49, ".from", "must be a list"),
        BadRule("{to: [db], ports: [22], expect: open, control: x}", 52, ".control", "is not a target"),
        BadRule("{to: [db], ports: [22], expect: open, control: 'udp://x:1'}", 52, ".control", "datagram"),
        BadRule("{to: [db], ports: [22], expect: open, rst_is_block: 1}", 57, ".rst_is_block", "true or false"),
        BadRule("{to: [db], ports: [22], expect: open, port: 1}", 43, ".port", "did you mean \"ports\"?"),
        BadRule("{to: [db], to: [db], ports: [22], expect: open}", 16, ".to", "is a duplicate of the key in line 4"),
        BadRule("{to: [db], ports: [22], expect: open, labels: {a: 1}}", 55, ".labels.a", "put it in quotes"),
        BadRule(
            "{to: [db], ports: [22], expect: open, check: {expect: x}}", 51, ".check.expect", "belongs to the rule"),
        BadRule("{to: [db], ports: [22], expect: open, check: [1]}", 50, ".check", "must be a mapping"),
        BadRule("{to: [db], ports: [22], expect: open, check: {resolv: 1}}", 51, ".check.resolv", "resolve"),
        BadRule(
            "{to: [db], ports: [22], expect: open, check: {tls: {verify: yes}}}", 65, ".check.tls.verify",
            "must be true or false, got yes"),
        BadRule("{name: '', to: [db], ports: [22], expect: open}", 12, ".name", "1 to 1024 characters"),
        BadRule("text", 5, "", "must be a mapping"),
    ]

    @Test(arguments: rules) func aBadRuleHasOneProblemWithItsPosition(rule: BadRule) throws {
        let found = problems("version: 1\nsets: {db: [db1.internal, 10.2.0.0/30]}\nrules:\n  - \(rule.text)\n")
        let problem = try #require(found.first)
        #expect(found.count == 1, "\(found)")
        #expect(problem.position == TextPosition(line: 4, column: rule.column), "\(problem)")
        #expect(problem.path == "rules[0]" + rule.path)
        #expect(problem.reason.contains(rule.reason), "\(problem.reason)")
    }

    private static let documents: [(text: String, line: Int, column: Int, reason: String)] = [
        ("", 1, 1, "is empty: write version: 1 and rules"),
        ("- a", 1, 1, "must be a mapping with version and rules"),
        ("version: 2\nrules: [{to: [a.b], ports: [1], expect: open}]", 1, 10, "must be 1, got 2"),
        ("version: '1'\nrules: [{to: [a.b], ports: [1], expect: open}]", 1, 10, "must be an integer"),
        ("rules: [{to: [a.b], ports: [1], expect: open}]", 1, 1, "is missing the key \"version\""),
        ("version: 1", 1, 1, "is missing the key \"rules\""),
        ("version: 1\nrules: []", 2, 8, "must not be empty"),
        ("version: 1\nrule: []\nrules: [{to: [a.b], ports: [1], expect: open}]", 2, 1, "did you mean \"rules\"?"),
        ("version: 1\nversion: 1\nrules: [{to: [a.b], ports: [1], expect: open}]", 2, 1, "is a duplicate"),
        ("version: 1\nsets: {a: []}\nrules: [{to: [a.b], ports: [1], expect: open}]", 2, 11, "must not be empty"),
        ("version: 1\nsets: {a.b: [c.d]}\nrules: [{to: [a.b], ports: [1], expect: open}]", 2, 8, "the name must be"),
        (
            "version: 1\nsets: {a: [c.d], b: [a]}\nrules: [{to: [b], ports: [1], expect: open}]", 2, 22,
            "cannot contain another set"
        ),
        ("version: 1\nsets: {a: [c d]}\nrules: [{to: [a.b], ports: [1], expect: open}]", 2, 12, "white space"),
        (
            "version: 1\ndefaults: {retry_timeouts: 4}\nrules: [{to: [a.b], ports: [1], expect: open}]", 2, 28,
            "from 0 to 3"
        ),
        ("version: 1\nrules: [{to: [a.b], ports: [1], expect: !blocked}]", 2, 49, "in quotes"),
        ("version: 1\nrules: [", 3, 1, "is not YAML"),
        ("version: 1\nrules: [{to: *x}]", 2, 14, "has no anchor"),
    ]

    @Test(arguments: documents.indices) func aBadDocumentHasAProblemWithItsPosition(index: Int) throws {
        let document = Self.documents[index]
        let problem = try #require(problems(document.text).first)
        #expect(problem.position == TextPosition(line: document.line, column: document.column), "\(problem)")
        #expect(problem.reason.contains(document.reason), "\(problem.reason)")
    }

    @Test func twoRulesOfOneNameAreReported() throws {
        let found = problems(
            """
            version: 1
            rules:
              - {name: a, to: [a.b], ports: [1], expect: open}
              - {name: a, to: [a.b], ports: [1], expect: open}
            """)
        #expect(
            found.map(\.description) == [
                "policy.yaml:4:5: rules[1].name: is a duplicate of the rule in line 3: give each rule its own name"
            ])
    }

    @Test func anUnknownKeyIsReportedWithTheKeysOfItsPlace() throws {
        let keys = "timeout_ms, resolve, bind, socket, tls, dialog"
        let rule = "{to: [a.b], ports: [1], expect: open, check: {expects: 1}}"
        let found = problems("version: 1\ndefaults: {timout_ms: 1, to: 2}\nrules:\n  - \(rule)\n")
        let pace = "retry_timeouts, concurrency, per_host, rate_per_second, control, labels, rst_is_block"
        #expect(
            found.map(\.description) == [
                "policy.yaml:2:12: defaults.timout_ms: is not a known key (did you mean \"timeout_ms\"?): use \(pace), \(keys)",
                "policy.yaml:2:26: defaults.to: is not a known key: use \(pace), \(keys)",
                "policy.yaml:4:51: rules[0].check.expects: is not a known key: use \(keys)",
            ])
    }

    @Test func allProblemsAreReportedTogether() {
        let found = problems("version: 2\nrules:\n  - {to: [], ports: [0], expect: x}\n  - {to: [a.b], expect: open}\n")
        #expect(found.map(\.position?.line) == [1, 3, 3, 3, 4])
    }
}
