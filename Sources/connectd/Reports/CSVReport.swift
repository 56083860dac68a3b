/// CSV by RFC 4180: a header row, then a row for each case as it arrives.
struct CSVReport: ReportWriter {
    private static let firstColumns = ["name", "target", "verdict", "outcome"]
    private static let lastColumns = ["message", "hint", "duration_ms", "file", "line"]

    private var heading: ReportHeading?

    mutating func begin(_ heading: ReportHeading, on output: ReportOutput) {
        self.heading = heading
        output.write(
            Self.row((heading.hasSuites ? ["suite"] : []) + Self.firstColumns + heading.detailNames + Self.lastColumns))
    }

    mutating func add(_ reportCase: ReportCase, to output: ReportOutput) {
        guard let heading else { return }
        let first = [
            reportCase.name, reportCase.target, heading.word(reportCase.verdict), reportCase.outcome,
        ]
        // Each row has a value for each column, whatever the case brings.
        let details = heading.detailNames.indices.map {
            reportCase.details.indices.contains($0) ? reportCase.details[$0] : ""
        }
        let last = [
            reportCase.message, reportCase.hint ?? "", ReportText.milliseconds(reportCase.durationNanoseconds),
            reportCase.source?.file ?? "", (reportCase.source?.line).map(String.init) ?? "",
        ]
        output.write(Self.row((heading.hasSuites ? [reportCase.suite] : []) + first + details + last))
    }

    mutating func end(_ summary: ReportSummary, on output: ReportOutput) {}

    static func row(_ cells: [String]) -> String {
        cells.map(cell).joined(separator: ",") + "\r\n"
    }

    /// One cell. A text that a spreadsheet could take for a formula gets an apostrophe before it.
    static func cell(_ text: String) -> String {
        let safe = (startsFormula(text) ? "'" : "") + ReportText.clean(text)
        guard safe.unicodeScalars.contains(where: { $0 == "," || $0 == "\"" }) || safe.hasPrefix(" ") else {
            return safe
        }
        return "\"" + ReportText.replacing(safe) { $0 == "\"" ? "\"\"" : nil } + "\""
    }

    /// Some programs drop white space and quotes at the start before they look for a formula.
    private static func startsFormula(_ text: String) -> Bool {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠": return true
            case "\"", "'", "`", "“", "”", "‘", "’": continue
            case _ where scalar.properties.isWhitespace || scalar.properties.isDefaultIgnorableCodePoint: continue
            case _: return false
            }
        }
        return false
    }
}
