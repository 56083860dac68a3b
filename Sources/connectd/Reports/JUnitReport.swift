import ConnectAPI

/// JUnit XML for Jenkins and GitLab: a suite for each rule. It is valid by junit-10.xsd of the Jenkins xUnit plugin.
///
/// The counts come before the cases, so the cases wait in a spool.
struct JUnitReport: ReportWriter {
    private struct Suite {
        let name: String
        var tally = ReportTally()
        var nanoseconds: Int64 = 0
    }

    private var heading: ReportHeading?
    private var spool = ReportSpool()
    private var suites: [Suite] = []
    private var suiteNumbers: [String: Int] = [:]

    mutating func begin(_ heading: ReportHeading, on output: ReportOutput) {
        self.heading = heading
    }

    mutating func add(_ reportCase: ReportCase, to output: ReportOutput) {
        let number = suiteNumber(reportCase.suite.isEmpty ? heading?.name ?? "" : reportCase.suite)
        suites[number].tally.add(reportCase.verdict)
        suites[number].nanoseconds += max(reportCase.durationNanoseconds, 0)
        spool.append(
            Array(Self.element(reportCase, suite: suites[number].name).utf8), at: reportCase.index, group: number)
    }

    mutating func end(_ summary: ReportSummary, on output: ReportOutput) {
        guard let heading else { return }
        if summary.unfinished > 0 { addInterruption(summary) }
        output.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        output.write("<testsuites\(Self.attributes(heading, suites, summary))>\n")
        var last: Int?
        spool.forEach { piece, number in
            if number != last {
                if last != nil { output.write("  </testsuite>\n") }
                output.write("  <testsuite\(Self.attributes(suites[number], heading))>\n")
                last = number
            }
            output.write(piece)
        }
        if last != nil { output.write("  </testsuite>\n") }
        output.write("</testsuites>\n")
    }

    private static func attributes(
        _ heading: ReportHeading, _ suites: [Suite], _ summary: ReportSummary
    ) -> String {
        let tests = suites.reduce(0) { $0 + $1.tally.total }
        let failures = suites.reduce(0) { $0 + $1.tally[.failure] }
        let errors = suites.reduce(0) { $0 + $1.tally.errors }
        return attribute("name", heading.name) + attribute("tests", "\(tests)") + attribute("failures", "\(failures)")
            + attribute("errors", "\(errors)") + attribute("time", ReportText.seconds(summary.durationNanoseconds))
    }

    private static func attributes(_ suite: Suite, _ heading: ReportHeading) -> String {
        // ISO 8601 without a zone, as Ant writes it.
        let timestamp = Timestamp.text(nanosecondsSince1970: heading.startedAtNanoseconds).prefix(19)
        return attribute("name", suite.name) + attribute("tests", "\(suite.tally.total)")
            + attribute("failures", "\(suite.tally[.failure])") + attribute("errors", "\(suite.tally.errors)")
            + attribute("skipped", "0") + attribute("time", ReportText.seconds(suite.nanoseconds))
            + attribute("timestamp", String(timestamp)) + attribute("hostname", heading.prober)
    }

    /// Without this case, a run that was interrupted would look complete.
    private mutating func addInterruption(_ summary: ReportSummary) {
        let number = suiteNumber("interrupted")
        suites[number].tally.add(.error)
        let missing = ReportCase(
            index: .max, suite: "interrupted", name: "run is complete", target: "", verdict: .error,
            outcome: "interrupted", message: summary.text)
        spool.append(Array(Self.element(missing, suite: "interrupted").utf8), at: .max, group: number)
    }

    private mutating func suiteNumber(_ name: String) -> Int {
        if let number = suiteNumbers[name] { return number }
        suiteNumbers[name] = suites.count
        suites.append(Suite(name: name))
        return suites.count - 1
    }

    private static func element(_ reportCase: ReportCase, suite: String) -> String {
        let time = ReportText.seconds(reportCase.durationNanoseconds)
        let begin =
            "    <testcase" + attribute("name", reportCase.name) + attribute("classname", suite)
            + attribute("time", time)
        let tag: String
        switch reportCase.verdict {
        case .pass: return begin + "/>\n"
        case .failure: tag = "failure"
        case .error, .inconclusive: tag = "error"
        }
        let type = reportCase.verdict == .inconclusive ? "inconclusive" : reportCase.outcome
        let lines = [
            reportCase.message, reportCase.hint, reportCase.target.isEmpty ? nil : "target: \(reportCase.target)",
            reportCase.source.map { "source: \($0.text)" },
        ]
        let text = lines.compactMap { $0 }.map(content).joined(separator: "\n")
        let child = "      <\(tag)" + attribute("type", type) + attribute("message", reportCase.message)
        return "\(begin)>\n\(child)>\(text)</\(tag)>\n    </testcase>\n"
    }

    static func attribute(_ name: String, _ value: String) -> String {
        let escaped = ReportText.replacing(value) { scalar in
            switch scalar {
            case "\"": "&quot;"
            case "'": "&#39;"
            // A reader replaces raw white space in an attribute by spaces.
            case "\t", "\n", "\r": "&#\(scalar.value);"
            case _: markup(scalar)
            }
        }
        return " \(name)=\"\(escaped)\""
    }

    static func content(_ text: String) -> String {
        ReportText.replacing(text) { $0 == "\r" ? "&#13;" : markup($0) }
    }

    /// The replacement of a scalar with a meaning in XML, or that XML 1.0 forbids.
    private static func markup(_ scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x26: "&amp;"
        case 0x3C: "&lt;"
        case 0x3E: "&gt;"
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xFFFD, 0x10000...0x10FFFF: nil
        case _: "\u{FFFD}"
        }
    }
}
