internal import HTTPServer

/// The page at `/`: recent probes with links to their logs, as blackbox_exporter has it.
enum BlackboxIndex {
    /// Nothing is loaded and nothing runs, whatever a target's name makes of the page.
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

    /// Text between tags. Controls and what turns the text around it are written as `U+202E`.
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
