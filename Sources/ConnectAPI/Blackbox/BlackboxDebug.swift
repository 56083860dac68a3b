internal import Metrics

/// What `debug=true` and `/logs` answer: log, metrics and module of a probe, as blackbox_exporter lays them out.
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
