/// Workflow commands of GitHub Actions: an annotation for each problem, on the line that asked for the check.
struct GitHubReport: ReportWriter {
    private var heading: ReportHeading?
    private var hasProblem = false

    mutating func begin(_ heading: ReportHeading, on output: ReportOutput) {
        self.heading = heading
    }

    mutating func add(_ reportCase: ReportCase, to output: ReportOutput) {
        let command: String
        switch reportCase.verdict {
        case .pass: return
        case .failure, .error: command = "error"
        case .inconclusive: command = "warning"
        }
        hasProblem = true
        let title = [reportCase.suite, reportCase.name].filter { !$0.isEmpty }.joined(separator: ": ")
        let source = reportCase.source.flatMap { $0.isFile ? $0 : nil }
        let properties = [
            source.map { "file=\(Self.property($0.file))" }, source.map { "line=\($0.line)" },
            "title=\(Self.property(title))",
        ]
        let message = [reportCase.message, reportCase.hint].compactMap { $0 }.joined(separator: "\n")
        output.write(
            "::\(command) \(properties.compactMap { $0 }.joined(separator: ","))::\(Self.data(message))\n")
    }

    mutating func end(_ summary: ReportSummary, on output: ReportOutput) {
        guard let heading else { return }
        if hasProblem, summary.unfinished == 0 { return output.write("\(ReportText.clean(summary.text))\n") }
        let command = summary.unfinished > 0 ? "error" : "notice"
        output.write("::\(command) title=\(Self.property(heading.name))::\(Self.data(summary.text))\n")
    }

    /// The message of a command.
    static func data(_ text: String) -> String {
        ReportText.replacing(text) { scalar in
            switch scalar {
            case "%": "%25"
            case "\r": "%0D"
            case "\n": "%0A"
            case _: ReportText.replacement(forUnsafe: scalar)
            }
        }
    }

    /// The value of a property of a command.
    static func property(_ text: String) -> String {
        ReportText.replacing(data(text)) { scalar in
            switch scalar {
            case ":": "%3A"
            case ",": "%2C"
            case _: nil
            }
        }
    }
}
