import ArgumentParser
import NetworkTypes
import SocketIO

/// The options of `check` for its output.
struct FormatArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The format: text, json, ndjson, csv, junit, tap, github, markdown or nagios (default: text).",
            valueName: "format"),
        completion: .list(Self.known.map(\.rawValue)), transform: Self.parse)
    var format: ReportFormat?

    @Flag(help: "Print one JSON array, like --format json.")
    var json = false

    @Flag(help: "Print each result as a line of JSON, as soon as it is known, like --format ndjson.")
    var ndjson = false

    @Option(
        help: ArgumentHelp(
            "Write the results to this file instead of standard output. A summary follows on standard error.",
            valueName: "file"),
        completion: .file())
    var output: String?

    private static let known = ReportFormat.allCases.filter { $0 != .matrix }

    private static func parse(_ text: String) throws -> ReportFormat {
        switch ReportFormat(rawValue: text) {
        case .matrix: throw ValidationError("the format matrix is for connectd verify: use markdown or csv here")
        case .some(let format): return format
        case .none:
            let meant = Spelling.nearest(to: text, among: known.map(\.rawValue)).map { "; did you mean \($0)?" } ?? ""
            let names = known.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\"\(TerminalText.clean(text))\" is not a format: use one of \(names)\(meant)")
        }
    }

    func validate() throws {
        if let output, output.isEmpty { throw ValidationError("--output needs the name of a file") }
    }

    /// The chosen format.
    /// - Throws: `ValidationError` if options contradict each other.
    func chosen(isNagios: Bool) throws -> ReportFormat {
        let flags: [(name: String, format: ReportFormat)] = [
            ("--json", json, ReportFormat.json), ("--ndjson", ndjson, .ndjson), ("--nagios", isNagios, .nagios),
        ].filter(\.1).map { ($0.0, $0.2) }
        let all = flags + [format].compactMap { $0 }.map { ("--format \($0.rawValue)", $0) }
        if let first = all.first, let other = all.first(where: { $0.format != first.format }) {
            throw ValidationError("use either \(first.name) or \(other.name), not both")
        }
        return all.first?.format ?? .text
    }

    /// Opens the output, or ends the process with an error message.
    func open(_ format: ReportFormat) -> ReportOutput {
        output.map { ReportOutput.file($0, isStreamed: format.isStreamed) } ?? .standardOutput()
    }

    /// - Parameter inputs: The files that the command reads.
    /// - Throws: `ValidationError` if the output would overwrite one of them.
    func validate(inputs: [(option: String, file: String)]) throws {
        guard let output, output != "-", let identity = UnixPathName.identity(Array(output.utf8)) else { return }
        for (option, file) in inputs where UnixPathName.identity(Array(file.utf8)) == identity {
            throw ValidationError(
                "--output \(TerminalText.clean(output)) is the file of \(option): write the results to another file")
        }
    }
}
