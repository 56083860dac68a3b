/// A heading, the summary and a table in GitHub Flavored Markdown. Problems come first.
struct MarkdownReport: ReportWriter {
    private var heading: ReportHeading?
    private var spool = ReportSpool()

    mutating func begin(_ heading: ReportHeading, on output: ReportOutput) {
        self.heading = heading
    }

    mutating func add(_ reportCase: ReportCase, to output: ReportOutput) {
        guard let heading else { return }
        let isPass = reportCase.verdict == .pass
        let word = heading.word(reportCase.verdict)
        let details = [reportCase.message, reportCase.hint].compactMap { $0 }.filter { !$0.isEmpty }
        let suite = heading.hasSuites ? [Self.code(reportCase.suite)] : []
        let cells =
            [isPass ? word : "**\(word)**"] + suite + [
                Self.code(reportCase.name), Self.code(reportCase.outcome),
                details.map(Self.code).joined(separator: "<br>"),
                "\(ReportText.milliseconds(reportCase.durationNanoseconds)) ms",
            ]
        spool.append(
            Array("| \(cells.joined(separator: " | ")) |\n".utf8), at: reportCase.index, group: isPass ? 1 : 0)
    }

    mutating func end(_ summary: ReportSummary, on output: ReportOutput) {
        guard let heading else { return }
        output.write("## \(Self.plain(heading.name))\n\n\(Self.plain(summary.text))\n")
        guard !spool.isEmpty else { return }
        let suite = heading.hasSuites ? (" suite |", " --- |") : ("", "")
        output.write("\n| verdict |\(suite.0) name | outcome | details | time |\n")
        output.write("| --- |\(suite.1) --- | --- | --- | ---: |\n")
        spool.forEach { piece, _ in output.write(piece) }
    }

    /// A code span, in which Markdown and HTML have no meaning. Not every reader knows the same escape for a pipe in a cell,
    /// so it becomes `\u{7C}`.
    static func code(_ text: String) -> String {
        guard !text.isEmpty else { return "" }
        let clean = ReportText.replacing(ReportText.clean(text)) { $0 == "|" ? ReportText.escape($0) : nil }
        let longestRun = clean.split { $0 != "`" }.map(\.count).max() ?? 0
        // The span ends only at a run of the same length.
        let fence = String(repeating: "`", count: longestRun + 1)
        return longestRun == 0 ? "`\(clean)`" : "\(fence) \(clean) \(fence)"
    }

    /// Text outside of code. Each ASCII punctuation mark with a meaning gets a backslash.
    static func plain(_ text: String) -> String {
        ReportText.replacing(ReportText.clean(text)) { scalar in
            "\\`*_{}[]<>#|~&!@$^".unicodeScalars.contains(scalar) ? "\\\(scalar)" : nil
        }
    }
}
