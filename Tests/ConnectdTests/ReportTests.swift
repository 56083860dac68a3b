import NetworkTypes
import Testing
@testable import connectd

/// Writes reports into memory.
enum Reports {
    /// Every character with a meaning in one of the formats.
    static let hostile = "=1+1|`a`<b>&\"'\r\n\t\u{0}\u{1B}[31m\u{202E}\u{FFFE}::error::x,y:z%0A]]> # SKIP \\ ---"

    static func heading(total: Int = 4, hasSuites: Bool = true) -> ReportHeading {
        ReportHeading(
            name: "connectd test", failureWord: "violation", hasSuites: hasSuites, total: total, detailNames: ["phase"],
            prober: "here", startedAtNanoseconds: 1_767_225_600_000_000_000)
    }

    static func text(
        _ format: ReportFormat, _ cases: [ReportCase], unfinished: Int = 0, hasSuites: Bool = true
    ) throws -> String {
        var bytes: [UInt8] = []
        let output = ReportOutput { bytes += $0 }
        var writer = try #require(format.makeWriter())
        writer.begin(heading(total: cases.count + unfinished, hasSuites: hasSuites), on: output)
        for item in cases { writer.add(item, to: output) }
        writer.end(
            ReportSummary(text: "all of it", epilogue: "END", unfinished: unfinished, durationNanoseconds: 2_000_000),
            on: output)
        output.finish()
        return try #require(String(validating: bytes, as: UTF8.self))
    }

    static func make(
        _ index: Int, _ verdict: ReportVerdict, suite: String = "rule", name: String = "a:1", message: String = "why",
        source: ReportLocation? = nil, content: String = ""
    ) -> ReportCase {
        ReportCase(
            index: index, suite: suite, name: name, target: name, verdict: verdict, outcome: "refused",
            message: message,
            hint: verdict == .pass ? nil : "Start it.", durationNanoseconds: 1_234_567, source: source,
            details: ["connect"], content: Array(content.utf8))
    }

    static var hostileCases: [ReportCase] {
        ReportVerdict.allCases.enumerated().map { index, verdict in
            make(
                index, verdict, suite: hostile, name: hostile, message: hostile,
                source: ReportLocation(file: hostile, line: 7))
        }
    }
}

@Suite("A report")
struct ReportTests {
    @Test("in CSV has a row for each case and no formula")
    func csv() throws {
        let text = try Reports.text(.csv, [Reports.make(0, .pass), Reports.make(1, .failure, message: "a,\"b\"")])
        #expect(
            text == """
                suite,name,target,verdict,outcome,phase,message,hint,duration_ms,file,line\r
                rule,a:1,a:1,pass,refused,connect,why,,1.234,,\r
                rule,a:1,a:1,violation,refused,connect,"a,""b""\",Start it.,1.234,,\r

                """)
        for start in ["=", "+", "-", "@", "\t", "\r", "\n", "\"=", "'+", "  =", "\u{200B}=", "＝", "\"\"@"] {
            let cell = CSVReport.cell(start + "1")
            #expect(cell.hasPrefix("'") || cell.hasPrefix("\"'"), "\(cell)")
        }
        for harmless in ["a=1", "10.0.0.1:80", "", "tcp://a:1", "[::1]:1"] {
            #expect(CSVReport.cell(harmless) == harmless)
        }
        #expect(try Reports.text(.csv, [Reports.make(0, .pass)], hasSuites: false).hasPrefix("name,target,"))
    }

    @Test("in JUnit groups cases by suite, in order, and counts them")
    func junit() throws {
        let cases = [
            Reports.make(2, .inconclusive, suite: "s1"), Reports.make(0, .pass, suite: "s2"),
            Reports.make(1, .failure, suite: "s1", source: ReportLocation(file: "p.yaml", line: 3)),
        ]
        let text = try Reports.text(.junit, cases)
        #expect(
            text.contains(
                "<testsuites name=\"connectd test\" tests=\"3\" failures=\"1\" errors=\"1\" time=\"0.002000\">"))
        #expect(text.contains("<testsuite name=\"s1\" tests=\"2\" failures=\"1\" errors=\"1\" skipped=\"0\""))
        #expect(text.contains("timestamp=\"2026-01-01T00:00:00\" hostname=\"here\""))
        let order = ["<failure type=\"refused\"", "source: p.yaml:3", "<error type=\"inconclusive\"", "name=\"s2\""]
        let places = order.compactMap { text.firstRange(of: $0)?.lowerBound }
        #expect(places.count == 4 && places == places.sorted())
        #expect(JUnitReport.content("\u{0}\u{1B}\u{FFFF}\u{7F}é😀]]>") == "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}é😀]]&gt;")
        #expect(JUnitReport.attribute("a", "\"<\n\t") == " a=\"&quot;&lt;&#10;&#9;\"")
        let cut = try Reports.text(.junit, [Reports.make(0, .pass)], unfinished: 3)
        #expect(cut.contains("errors=\"1\"") && cut.contains("<error type=\"interrupted\" message=\"all of it\">"))
    }

    @Test("in TAP has a plan, and YAML for each problem")
    func tap() throws {
        let text = try Reports.text(.tap, [Reports.make(0, .pass), Reports.make(1, .error, name: "a # TODO b")])
        let lines = text.split(separator: "\n")
        #expect(lines[0...3] == ["TAP version 13", "1..2", "ok 1 - rule: a:1", "not ok 2 - rule: a \\#. TODO b"])
        #expect(lines[4] == "  ---" && lines[5] == "  message: \"why\"" && lines.suffix(2) == ["  ...", "# all of it"])
        #expect(try Reports.text(.tap, [], unfinished: 2) == "TAP version 13\n1..2\nBail out! all of it\n")
        #expect(
            try Reports.text(.tap, Reports.hostileCases).split(separator: "\n").allSatisfy { line in
                line.wholeMatch(of: /TAP version 13|1\.\.4|(not )?ok \d - .*|  (---|\.\.\.|\w+: ".*")|# all of it/)
                    != nil
            })
    }

    @Test("for GitHub Actions has an annotation for each problem")
    func github() throws {
        let source = ReportLocation(file: "a,b:c.txt", line: 9)
        let text = try Reports.text(
            .github,
            [
                Reports.make(0, .pass), Reports.make(1, .failure, message: "100%\r\nbad", source: source),
                Reports.make(2, .inconclusive, suite: ""),
            ])
        #expect(
            text == """
                ::error file=a%2Cb%3Ac.txt,line=9,title=rule%3A a%3A1::100%25%0D%0Abad%0AStart it.
                ::warning title=a%3A1::why%0AStart it.
                all of it

                """)
        #expect(try Reports.text(.github, [Reports.make(0, .pass)]) == "::notice title=connectd test::all of it\n")
        let hostile = try Reports.text(.github, Reports.hostileCases)
        #expect(
            hostile.split(separator: "\n", omittingEmptySubsequences: true).count == 4 && !hostile.contains("\u{1B}"))
    }

    @Test("in Markdown is a table that no text breaks")
    func markdown() throws {
        let text = try Reports.text(.markdown, [Reports.make(0, .pass), Reports.make(1, .failure)])
        #expect(
            text == """
                ## connectd test

                all of it

                | verdict | suite | name | outcome | details | time |
                | --- | --- | --- | --- | --- | ---: |
                | **violation** | `rule` | `a:1` | `refused` | `why`<br>`Start it.` | 1.234 ms |
                | pass | `rule` | `a:1` | `refused` | `why` | 1.234 ms |

                """)
        for line in try Reports.text(.markdown, Reports.hostileCases).split(separator: "\n").dropFirst(2) {
            #expect(line.count { $0 == "|" } == 7 && !line.contains("\u{1B}"), "\(line)")
        }
    }

    @Test("in JSON and NDJSON contains the cases as they are")
    func json() throws {
        let cases = [Reports.make(1, .pass, content: "{\"b\":2}"), Reports.make(0, .pass, content: "{\"a\":1}")]
        #expect(try Reports.text(.json, cases) == "[{\"a\":1},{\"b\":2}]\n")
        #expect(try Reports.text(.json, []) == "[]\n")
        #expect(try Reports.text(.ndjson, cases) == "{\"b\":2}\n{\"a\":1}\nEND\n")
    }

    @Test("that is written at the end keeps many cases in a file")
    func spool() {
        let spool = ReportSpool()
        let long = [UInt8](repeating: 0x61, count: 1000)
        for index in (0..<5000).reversed() { spool.append(long + Array("\(index)".utf8), at: index, group: index % 2) }
        var read: [String] = []
        var groups: [Int] = []
        spool.forEach { bytes, group in
            read.append(String(decoding: bytes.dropFirst(1000), as: UTF8.self))
            groups.append(group)
        }
        #expect(groups == [Int](repeating: 0, count: 2500) + [Int](repeating: 1, count: 2500))
        #expect(read == (0..<5000).sorted { ($0 % 2, $0) < ($1 % 2, $1) }.map(String.init))
    }
}
