internal import CheckModel
internal import Configuration
internal import ConnectAPI
internal import ErrorCatalogue
internal import HTTPServer
internal import Metrics
internal import Synchronization

/// The recent probes, to look at one after it has failed.
///
/// Failures are kept longer than successes: a failure that leaves the recent probes moves to the recent failures.
final class BlackboxHistory: Sendable {
    /// The number of recent probes, and of older failures.
    static let limit = 100

    /// One probe in the list.
    struct Entry: Sendable {
        let id: Int
        let module: String
        let target: String
        let isSuccess: Bool
        let outcome: String
        let startedAtNanoseconds: Int64
        fileprivate let content: Content
    }

    /// The log of a probe. It is rendered on demand; a large one is rendered at once and truncated, so that peers
    /// cannot fill the memory.
    fileprivate enum Content {
        case report(BlackboxReport)
        case text([UInt8])

        static let limitBytes = 65536

        init(_ report: BlackboxReport) {
            self =
                report.weight < Self.limitBytes / 2
                ? .report(report) : .text(Array(BlackboxDebug.text(report).prefix(Self.limitBytes)))
        }

        var text: [UInt8] {
            switch self {
            case .report(let report): BlackboxDebug.text(report)
            case .text(let text): text
            }
        }
    }

    private struct State {
        var nextID = 0
        var recent: [Entry] = []
        var failures: [Entry] = []

        var all: [Entry] { failures + recent }
    }

    private let state = Mutex(State())

    func add(_ report: BlackboxReport) {
        let content = Content(report)
        state.withLock { state in
            state.recent.append(
                Entry(
                    id: state.nextID, module: report.probe.module.name,
                    target: String(report.probe.query.target.prefix(1024)), isSuccess: report.isSuccess,
                    outcome: report.result.outcome.word, startedAtNanoseconds: report.result.startedAtNanoseconds,
                    content: content))
            state.nextID += 1
            guard state.recent.count > Self.limit else { return }
            let oldest = state.recent.removeFirst()
            if oldest.isSuccess { return }
            state.failures.append(oldest)
            if state.failures.count > Self.limit { state.failures.removeFirst() }
        }
    }

    /// The log of a probe for `/logs`.
    func text(id: Int) -> [UInt8]? {
        state.withLock { $0.all.first { $0.id == id } }?.content.text
    }

    /// The log of the newest probe of a target, and of a module if it is given.
    func text(target: String, module: String?) -> [UInt8]? {
        state.withLock { $0.all.last { $0.target == target && (module == nil || module == $0.module) } }?.content.text
    }

    /// All probes, newest first.
    var all: [Entry] { state.withLock { $0.all.reversed() } }
}

extension BlackboxReport {
    /// The approximate size of the peer's data, in bytes.
    fileprivate var weight: Int {
        let steps = result.dialog?.steps.reduce(0) { $0 + ($1.received?.count ?? 0) + 128 } ?? 0
        let certificates = (result.tls?.chain ?? []) + (result.tls?.verifiedChain ?? [])
        return certificates.reduce(steps + probe.query.target.utf8.count) { sum, certificate in
            certificate.subjectAlternativeNames.reduce(
                sum + certificate.subject.utf8.count + certificate.issuer.utf8.count + 512
            ) { $0 + $1.utf8.count }
        }
    }
}

/// The page at `/`: recent probes with links to their logs, as in blackbox_exporter.
enum BlackboxIndex {
    /// The page loads nothing and runs nothing, whatever a target's name contains.
    private static let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    static func page(of history: BlackboxHistory) -> Response {
        ResponseFactory.page(sharing: SharedBody(Array(text(of: history.all).utf8)), contentSecurityPolicy: policy)
    }

    static func text(of probes: [BlackboxHistory.Entry]) -> String {
        var text = """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>connectd</title></head>
            <body>
            <h1>connectd</h1>
            <p><a href="docs">Documentation</a> <a href="metrics">Metrics</a> <a href="config">Modules</a></p>
            <h2>Recent probes</h2>
            <table border="1">
            <tr><th>Time</th><th>Module</th><th>Target</th><th>Result</th><th>Debug</th></tr>

            """
        for probe in probes {
            let result = probe.isSuccess ? "Success" : "<strong>Failure</strong>: \(escaped(probe.outcome))"
            let cells = [
                Timestamp.text(nanosecondsSince1970: probe.startedAtNanoseconds), escaped(probe.module),
                escaped(probe.target), result, "<a href=\"logs?id=\(probe.id)\">Logs</a>",
            ]
            text += "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>\n"
        }
        return text + "</table>\n</body>\n</html>\n"
    }

    /// Escapes text between tags. Controls and bidirectional marks are written as `U+202E`.
    static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case _:
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator:
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    result += "U+" + String(repeating: "0", count: max(4 - digits.count, 0)) + digits
                case _: result.unicodeScalars.append(scalar)
                }
            }
        }
    }
}

/// The answer of `debug=true` and `/logs`: log, metrics and module of a probe, in blackbox_exporter's layout.
enum BlackboxDebug {
    static func text(_ report: BlackboxReport) -> [UInt8] {
        var text = Array("Logs for the probe:\n".utf8)
        text += BlackboxLog(report: report).text().utf8
        text += "\n\n\nMetrics that would have been returned:\n".utf8
        text += BlackboxMetrics(report: report, format: .prometheus).text()
        text += "\n\n\nModule configuration:\n".utf8
        text += ModuleText.module(report.probe.effectiveModule).utf8
        return text
    }
}
