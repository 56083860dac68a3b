internal import CheckModel
internal import Configuration
internal import ConnectAPI
internal import ErrorCatalogue
internal import NetworkTypes

/// The log of a probe, created from its result.
struct BlackboxLog {
    let report: BlackboxReport
    private var lines: [String] = []

    init(report: BlackboxReport) {
        self.report = report
    }

    private var result: CheckResult { report.result }
    private var start: Int64 { result.startedAtNanoseconds }

    /// All lines, each with a line end.
    consuming func text() -> String {
        var begin = line(at: start, "Beginning probe")
        begin.append("probe", report.probe.module.prober.rawValue)
        begin.append("timeout_seconds", "\(report.probe.timeout.seconds)")
        add(begin)
        if report.probe.module.beginsTLS {
            for defect in report.probe.module.tls.defects {
                var line = line(at: start, level: "error", "tls_config cannot be used: no handshake can begin")
                line.append("err", defect)
                add(line)
            }
        }
        addResolution()
        for attempt in result.attempts { add(attempt) }
        if let tls = result.tls { add(tls) }
        let redactor = SentTextRedactor(of: report.probe.module.dialog?.steps ?? [])
        let dialog = result.dialog.map { redactor.redacted($0) }
        for (index, step) in (dialog?.steps ?? []).enumerated() { add(step, index) }
        addEnd()
        return lines.map { $0 + "\n" }.joined()
    }

    private mutating func addResolution() {
        guard let resolution = result.resolution else { return }
        var line = line(at: start + result.timings[.resolve], "Resolved target address")
        line.append("name", resolution.name)
        line.append("source", resolution.source.rawValue)
        line.append("ip", resolution.addresses.map(\.text).joined(separator: ","))
        add(line)
    }

    private mutating func add(_ attempt: AttemptResult) {
        let time = start + attempt.startNanoseconds + attempt.durationNanoseconds
        var line = line(
            at: time, level: attempt.error == nil ? "info" : "error",
            attempt.error == nil ? "Successfully dialed" : "Attempt failed")
        switch attempt.endpoint {
        case .ip(let endpoint):
            line.append("address", endpoint.address.text)
            line.append("port", "\(endpoint.port)")
        case .unix(let address): line.append("path", address.text)
        }
        if let error = attempt.error { Self.add(error, in: attempt.phase, to: &line) }
        add(line)
    }

    private mutating func add(_ tls: TLSReport) {
        var line = line(
            at: end, level: tls.verifyError == nil ? "info" : "error",
            tls.version == nil ? "TLS handshake failed" : "TLS handshake")
        if let version = tls.version { line.append("version", version) }
        if let cipher = tls.cipher { line.append("cipher", cipher) }
        if let name = tls.serverName { line.append("server_name", name) }
        line.append("verified", tls.isVerified ? "true" : "false")
        if let error = tls.verifyError { line.append("err", error.message) }
        add(line)
    }

    private mutating func add(_ step: DialogStepReport, _ index: Int) {
        var line = line(at: end, level: step.ok ? "info" : "error", "Processed query response step")
        line.append("step", "\(index)")
        line.append("kind", step.kind.rawValue)
        line.append("ok", step.ok ? "true" : "false")
        line.append("bytes", "\(step.bytes)")
        if let received = step.received {
            line.append("received", String(decoding: received.prefix(200), as: UTF8.self))
        }
        if let detail = step.detail { line.append("detail", detail) }
        add(line)
    }

    private mutating func addEnd() {
        var line = line(
            at: end, level: report.isSuccess ? "info" : "error", report.isSuccess ? "Probe succeeded" : "Probe failed")
        if let error = result.error { Self.add(error, in: result.phase, to: &line) }
        if let reason = report.reason { line.append("reason", reason) }
        line.append("duration_seconds", "\(Double(report.durationNanoseconds) / 1e9)")
        add(line)
    }

    private static func add(_ error: ErrorReport, in phase: Phase, to line: inout LogfmtLine) {
        line.append("phase", phase.rawValue)
        line.append("errno", error.name)
        line.append("fault", error.fault.rawValue)
        line.append("err", error.message)
        line.append("hint", error.hint)
    }

    private var end: Int64 { start + report.durationNanoseconds }

    private func line(at time: Int64, level: String = "info", _ message: String) -> LogfmtLine {
        var line = LogfmtLine(at: time, level: level, message)
        line.append("module", report.probe.module.name)
        line.append("target", report.probe.query.target)
        return line
    }

    private mutating func add(_ line: LogfmtLine) { lines.append(line.text) }
}

/// One line of a probe's log: `ts=… level=info key=value msg="…"`.
struct LogfmtLine {
    private(set) var text = ""

    /// - Parameter time: wall-clock time, nanoseconds since 1970.
    init(at time: Int64, level: String, _ message: String) {
        append("ts", Timestamp.text(nanosecondsSince1970: time))
        append("level", level)
        append("msg", message)
    }

    mutating func append(_ key: String, _ value: String) {
        if !text.isEmpty { text += " " }
        text += "\(key)=\(Self.quoted(value))"
    }

    /// Returns a plain word unchanged, and anything else quoted and escaped, so that foreign text stays on its line.
    private static func quoted(_ value: String) -> String {
        let isWord = value.utf8.allSatisfy { (0x21...0x7E).contains($0) && !#""=\"#.utf8.contains($0) }
        return isWord && !value.isEmpty ? value : QuotedText.text(value)
    }
}
