import ArgumentParser

/// Writes a report in one format: `begin` once, `add` for each case, `end` once.
protocol ReportWriter {
    mutating func begin(_ heading: ReportHeading, on output: ReportOutput)
    mutating func add(_ reportCase: ReportCase, to output: ReportOutput)
    mutating func end(_ summary: ReportSummary, on output: ReportOutput)
}

/// The formats of `check` and `verify`.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json, ndjson, csv, junit, tap, github, markdown, matrix, nagios

    /// What a case must bring as its `content`.
    enum Content {
        case nothing, json, text
    }

    var content: Content {
        switch self {
        case .json, .ndjson: .json
        case .text: .text
        case .csv, .junit, .tap, .github, .markdown, .matrix, .nagios: .nothing
        }
    }

    /// Whether the report is written as the results arrive. The others appear at the end.
    var isStreamed: Bool {
        switch self {
        case .text, .ndjson, .csv, .tap, .github: true
        case .json, .junit, .markdown, .matrix, .nagios: false
        }
    }

    /// The writer of the format. Text and Nagios output come from the command: the writer prints each case's content, and
    /// the epilogue. nil for `matrix`, which only `verify` knows.
    func makeWriter() -> (any ReportWriter)? {
        switch self {
        case .text, .ndjson, .nagios: LineReport()
        case .json: JSONReport()
        case .csv: CSVReport()
        case .junit: JUnitReport()
        case .tap: TAPReport()
        case .github: GitHubReport()
        case .markdown: MarkdownReport()
        case .matrix: nil
        }
    }
}

/// Text and NDJSON: the content of each case as it arrives, then the epilogue.
struct LineReport: ReportWriter {
    mutating func begin(_ heading: ReportHeading, on output: ReportOutput) {}

    mutating func add(_ reportCase: ReportCase, to output: ReportOutput) {
        guard !reportCase.content.isEmpty else { return }
        output.write(reportCase.content)
        output.write("\n")
    }

    mutating func end(_ summary: ReportSummary, on output: ReportOutput) {
        if let epilogue = summary.epilogue { output.write(epilogue + "\n") }
    }
}

/// One JSON array of all cases, in the order of the input.
struct JSONReport: ReportWriter {
    private var spool = ReportSpool()

    mutating func begin(_ heading: ReportHeading, on output: ReportOutput) {}

    mutating func add(_ reportCase: ReportCase, to output: ReportOutput) {
        spool.append(reportCase.content, at: reportCase.index)
    }

    mutating func end(_ summary: ReportSummary, on output: ReportOutput) {
        var isFirst = true
        output.write("[")
        spool.forEach { piece, _ in
            if !isFirst { output.write(",") }
            isFirst = false
            output.write(piece)
        }
        output.write("]\n")
    }
}
