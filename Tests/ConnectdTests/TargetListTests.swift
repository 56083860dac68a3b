import ArgumentParser
import CheckEngine
import CheckModel
import ErrorCatalogue
import Foundation
import NetworkTypes
import Testing
@testable import connectd

/// Files and plans for the tests of target lists.
enum Lists {
    static func withFile<Result>(_ bytes: [UInt8], _ body: (String) throws -> Result) throws -> Result {
        let path = "/tmp/connectd-targets-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try body(path)
    }

    static func plan(_ text: String, _ arguments: String..., timeout: String? = nil) throws -> CheckPlan {
        try withFile(Array(text.utf8)) { path in
            let command = try CheckCommand.parse(
                ["--file", path] + arguments + (timeout.map { ["--timeout", $0] } ?? []))
            let template = try RequestTemplate(
                timeout: command.timeout, connection: command.connection, tls: command.tls, dialog: command.dialog,
                expectation: command.expect, context: CheckContext(policy: nil))
            return try command.list.plan(command.targets, file: path, template)
        }
    }

    static func texts(_ plan: CheckPlan) -> [String] { (0..<plan.count).map { plan.request(at: $0).target.text } }

    /// The message of the usage error.
    static func problem(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch {
            return (error as? ValidationError)?.message ?? "\(error)"
        }
    }
}

@Suite("A file of targets")
struct TargetFileTests {
    @Test("may have comments, blank lines, a byte order mark and any line ends")
    func form() throws {
        let text = """
            \u{FEFF}# all of it\r
            a:1 # the first\r
            \r
            \tb:2\t# another\u{A0}
            c:3#tight\rd:4   expect=refused # down
            unix:/run/a#b.sock # with a sign
            {"target":"e:5","timeout_ms":100} # a request
              {"target":"f:6"}
            """
        let plan = try Lists.plan(text, timeout: "2s")
        #expect(
            Lists.texts(plan) == ["a:1", "b:2", "c:3", "d:4", "unix:/run/a#b.sock", "e:5", "f:6"])
        #expect(plan.request(at: 3).expectation == .oneOf([.failed(.refused)]))
        #expect((0..<7).compactMap { plan.location(at: $0)?.line } == [2, 4, 5, 6, 7, 8, 9])
        #expect(plan.request(at: 5).timeoutMilliseconds == 100 && plan.request(at: 6).timeoutMilliseconds == 2000)
    }

    @Test("has every bad line reported with its number")
    func badLines() throws {
        let text = "a:1\nnonsense\nb:2 c:3\n\nd:4 expect=shut\n{\"target\":}\nhttp\n{\"target\":\"a:1\",\"nope\":1}\n"
        let lines = Lists.problem { _ = try Lists.plan(text) }.split(separator: "\n")
        #expect(lines.count == 6)
        for number in [2, 3, 5, 6, 7, 8] { #expect(lines.contains { $0.contains(":\(number): ") }, "\(number)") }
        #expect(lines.contains { $0.contains("one target per line") } && lines.contains { $0.contains("shut") })
        #expect(lines.contains { $0.contains("or give the ports of all hosts with --ports") })
    }

    @Test("of another kind has only its first problems reported")
    func manyBadLines() {
        let problem = Lists.problem { _ = try Lists.plan(String(repeating: "no target\n", count: 250)) }
        #expect(problem.split(separator: "\n").count == 101 && problem.hasSuffix("and 150 more problems"))
    }

    @Test("is UTF-8")
    func encoding() throws {
        try Lists.withFile([0xFF, 0xFE, 0x61, 0, 0x3A, 0, 0x31, 0]) { path in
            let problem = Lists.problem { try LineReader.forEachLine(of: path) { _, _ in } }
            #expect(problem.hasSuffix("is UTF-16: save it as UTF-8"))
        }
    }

    @Test("is read in blocks without losing or joining lines")
    func blocks() throws {
        // Longer than several blocks, with line ends on both sides of their boundaries.
        let lines = (0..<12_000).map { "line \($0)" }
        for end in ["\n", "\r\n", "\r"] {
            try Lists.withFile(Array(lines.joined(separator: end).utf8)) { path in
                var read: [String] = []
                var numbers: [Int] = []
                try LineReader.forEachLine(of: path) { bytes, number in
                    read.append(String(decoding: bytes, as: UTF8.self))
                    numbers.append(number)
                }
                #expect(read == lines && numbers == Array(1...lines.count))
            }
        }
    }
}

@Suite("The targets of a list")
struct TargetListTests {
    @Test("get the ports of --ports if they have none")
    func ports() throws {
        let text = "h\n10.0.0.1\n::1\n[::2]\nfe80::3%lo\nx:9 # own\n"
        let plan = try Lists.plan(text, "--ports", "80,8000-8001,u:53,80,https")
        let all = ["h", "10.0.0.1", "[::1]", "[::2]", "[fe80::3%lo]"].flatMap { host in
            ["\(host):80", "\(host):8000", "\(host):8001", "udp://\(host):53", "\(host):443"]
        }
        #expect(Lists.texts(plan) == all + ["x:9"])
        #expect(plan.location(at: 4)?.line == 1 && plan.location(at: 5)?.line == 2)
    }

    @Test(
        "reject ports that are none",
        arguments: ["", "0", "65536", "80,", "90-80", "a-b", "u:", "U:53", "80 81", "-1", "+80", "8O"])
    func badPorts(text: String) {
        #expect(throws: ValidationError.self) { try PortList(parsing: text) }
    }

    @Test("include all addresses of a CIDR with --expand")
    func networks() throws {
        let plan = try Lists.plan(
            "10.0.0.252/30 expect=refused\n2001:db8::fe/127\n", "--expand", "--ports", "80,u:53")
        #expect(Lists.texts(plan).count == 12 && Lists.texts(plan)[0...1] == ["10.0.0.252:80", "udp://10.0.0.252:53"])
        #expect(Lists.texts(plan)[10...11] == ["[2001:db8::ff]:80", "udp://[2001:db8::ff]:53"])
        #expect(plan.request(at: 7).expectation == .oneOf([.failed(.refused)]))
        let own = try Lists.plan("10.0.0.6/31:https\n2001:db8::/127:8000-8001\n", "--expand", "--ports", "80")
        #expect(Lists.texts(own)[0...1] == ["10.0.0.6:443", "10.0.0.7:443"])
        #expect(
            Lists.texts(own)[2...] == [
                "[2001:db8::]:8000", "[2001:db8::]:8001", "[2001:db8::1]:8000", "[2001:db8::1]:8001",
            ])
        #expect(try Lists.plan("10.1.0.0/16:1", "--expand").count == 65_536)
        #expect(try Lists.plan("10.1.0.0/16", "--expand", "--ports", "1").count == 65_536)
        #expect(try Lists.plan("255.255.255.255/32", "--expand", "--ports", "1").count == 1)
    }

    @Test("reject a CIDR that is not wanted, too large or has bits after its prefix")
    func badNetworks() {
        func problem(_ text: String, _ arguments: String...) -> String {
            Lists.problem {
                try Lists.withFile(Array(text.utf8)) { path in
                    let command = try CheckCommand.parse(["--file", path] + arguments)
                    let template = try RequestTemplate(
                        connection: command.connection, tls: command.tls, dialog: command.dialog,
                        context: CheckContext(policy: nil))
                    _ = try command.list.plan([], file: path, template)
                }
            }
        }
        #expect(
            problem("10.0.0.0/24").hasSuffix(
                "add --expand and --ports, or a port as in 10.0.0.0/24:443, to check each of its addresses"))
        #expect(problem("10.0.0.0/24:443").hasSuffix("add --expand to check each of its addresses"))
        #expect(problem("10.0.0.0/24", "--expand").contains("add --ports, or a port as in"))
        #expect(problem("10.0.0.0/24:0", "--expand").contains("write the port after the network as"))
        #expect(problem("10.0.0.0/24", "--ports", "1").hasSuffix("add --expand to check each of its addresses"))
        #expect(problem("10.0.0.0/15", "--expand", "--ports", "1").contains("at most 65536 addresses"))
        #expect(problem("10.0.0.0/17\n10.1.0.0/16\n", "--expand", "--ports", "1").contains(":2: "))
        #expect(problem("::/0", "--expand", "--ports", "1").contains("at most 65536 addresses"))
        #expect(problem("10.0.0.7/24", "--expand", "--ports", "1").contains("write 10.0.0.0/24"))
        #expect(problem("10.0.0.0/33", "--expand", "--ports", "1").contains("within 0…32"))
        #expect(problem("10.0.0.0/16", "--expand", "--ports", "1-65535").contains("more than 4194304 targets"))
    }

    @Test("without those of --exclude")
    func exclusions() throws {
        let text = "A.example.:1\nb:1\nb:2\n10.0.0.7:1\n10.0.1.1:1\n[2001:db8::1]:1\nunix:/s\ntls://c:443\n"
        let plan = try Lists.plan(
            text, "--exclude", "a.EXAMPLE", "--exclude", "b:2", "--exclude", "10.0.0.0/24", "--exclude",
            "[2001:db8::1]",
            "--exclude", "unix:/s", "--exclude", "c:443")
        #expect(Lists.texts(plan) == ["b:1", "10.0.1.1:1"])
        #expect(plan.location(at: 1)?.line == 5)
        let left = try Lists.withFile(Array("# list\nb # all ports\n\n10.0.0.0/8 unix:/s\n".utf8)) { path in
            try Lists.plan("b:1\n10.9.9.9:1\nunix:/s\nd:1\n", "--exclude", "@\(path)")
        }
        #expect(Lists.texts(left) == ["d:1"])
        #expect(Lists.problem { _ = try Lists.plan("a:1", "--exclude", "a") }.contains("excludes all 1 targets"))
        #expect(Lists.problem { _ = try Lists.plan("a:1", "--exclude", "10.0.0.0/99") }.contains("is not a host"))
    }
}

@Suite("--skip-done")
struct FinishedTargetsTests {
    private func plan(_ targets: String, after results: String) throws -> CheckPlan {
        try Lists.withFile(Array(results.utf8)) { path in try Lists.plan(targets, "--skip-done", path) }
    }

    private func line(_ target: String, _ outcome: String = "connected", fault: String? = nil, id: String? = nil)
        -> String
    {
        let error = fault.map { ",\"error\":{\"fault\":\"\($0)\"}" } ?? ""
        let name = id.map { "\"id\":\"\($0)\"," } ?? ""
        return "{\(name)\"target\":\"\(target)\",\"ok\":\(fault == nil),\"outcome\":\"\(outcome)\"\(error)}\n"
    }

    @Test("skips each target with a result once")
    func duplicates() throws {
        let plan = try plan("a:1\na:1\nb:1\n", after: line("a:1") + line("c:1"))
        #expect(Lists.texts(plan) == ["a:1", "b:1"] && plan.skipped.count == 1 && plan.skipped.failures == 0)
        #expect(plan.location(at: 0)?.line == 2)
    }

    @Test("counts a result of the target, but not one of the prober")
    func finality() throws {
        let results =
            line("a:1", "refused", fault: "target") + line("b:1", "prober_exhausted", fault: "prober")
            + line("c:1", "cancelled", fault: "request") + line("d:1", "resolve_failed", fault: "resolver")
            + line("e:1", "denied", fault: "request")
        let plan = try plan("a:1\nb:1\nc:1\nd:1\ne:1\n", after: results)
        #expect(Lists.texts(plan) == ["b:1", "c:1", "e:1"] && plan.skipped.count == 2 && plan.skipped.failures == 2)
    }

    @Test("distinguishes requests by their id")
    func ids() throws {
        let requests = "{\"target\":\"a:1\",\"id\":\"x\"}\n{\"target\":\"a:1\",\"id\":\"y\"}\na:1\n"
        let plan = try plan(requests, after: line("a:1", id: "x"))
        #expect((0..<plan.count).map { plan.request(at: $0).id } == ["y", nil])
    }

    @Test("tolerates a truncated last line, but not another kind of file")
    func truncation() throws {
        let whole = line("a:1") + line("b:1")
        let requests = try ["a:1", "b:1"].map(Results.request)
        for length in 0..<whole.utf8.count {
            let done = try Lists.withFile(Array(whole.utf8.prefix(length))) { path in
                var finished = try FinishedTargets(file: path)
                return requests.map { finished.take($0) != nil }
            }
            #expect(done == [length >= line("a:1").count - 1, length == whole.count - 1], "\(length)")
        }
        #expect(Lists.problem { _ = try self.plan("a:1", after: "a,b\nc,d\n") }.contains("has no results"))
        #expect(try self.plan("a:1", after: "{\"items\":1}\n" + line("a:1")).count == 0)
    }
}
