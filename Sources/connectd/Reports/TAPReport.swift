/// The Test Anything Protocol, version 13, with the details of each problem in a YAML block.
///
/// Version 13, because consumers of version 14 read it too, but not the other way around.
struct TAPReport: ReportWriter {
    private var heading: ReportHeading?
    private var count = 0

    mutating func begin(_ heading: ReportHeading, on output: ReportOutput) {
        self.heading = heading
        output.write("TAP version 13\n1..\(heading.total)\(heading.total == 0 ? " # SKIP nothing to check" : "")\n")
    }

    mutating func add(_ reportCase: ReportCase, to output: ReportOutput) {
        guard let heading else { return }
        count += 1
        let suite = reportCase.suite.isEmpty ? "" : "\(reportCase.suite): "
        let description = Self.description("\(suite)\(reportCase.name)")
        guard reportCase.verdict != .pass else { return output.write("ok \(count) - \(description)\n") }
        var lines = ["not ok \(count) - \(description)", "  ---"]
        let values: [(String, String?)] =
            [
                ("message", reportCase.message), ("severity", Self.severity(reportCase.verdict)),
                ("verdict", heading.word(reportCase.verdict)), ("target", reportCase.target),
                ("outcome", reportCase.outcome), ("hint", reportCase.hint),
                ("duration_ms", ReportText.milliseconds(reportCase.durationNanoseconds)),
                ("file", reportCase.source?.file), ("line", (reportCase.source?.line).map(String.init)),
            ] + zip(heading.detailNames, reportCase.details).map { ($0, $1.isEmpty ? nil : $1) }
        for (name, value) in values {
            if let value { lines.append("  \(name): \(Self.scalar(value))") }
        }
        lines.append("  ...")
        output.write(lines.joined(separator: "\n") + "\n")
    }

    mutating func end(_ summary: ReportSummary, on output: ReportOutput) {
        if summary.unfinished > 0 {
            output.write("Bail out! \(Self.description(summary.text))\n")
        } else {
            output.write("# \(Self.description(summary.text))\n")
        }
    }

    private static func severity(_ verdict: ReportVerdict) -> String {
        verdict == .failure ? "fail" : "error"
    }

    /// A description in one line. `#` could begin a directive such as SKIP, with which a failed test passes. Some readers
    /// do not know `\#`, so a point separates it from such a word.
    static func description(_ text: String) -> String {
        let scalars = ReportText.clean(text).unicodeScalars
        var result = ""
        for index in scalars.indices {
            switch scalars[index] {
            case "\\": result += "\\\\"
            case "#": result += startsDirective(scalars[scalars.index(after: index)...]) ? "\\#." : "\\#"
            case let scalar: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func startsDirective(_ text: Substring.UnicodeScalarView) -> Bool {
        let word = String(Substring(text.drop { $0.properties.isWhitespace }.prefix(4))).lowercased()
        return word == "skip" || word == "todo"
    }

    /// A double-quoted YAML scalar.
    static func scalar(_ text: String) -> String {
        let escaped = ReportText.replacing(ReportText.clean(text)) { scalar in
            switch scalar {
            case "\\": "\\\\"
            case "\"": "\\\""
            case _: nil
            }
        }
        return "\"\(escaped)\""
    }
}
