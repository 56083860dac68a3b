package import Diagnosis
internal import StrictJSON

/// Writes diagnoses as JSON.
package struct DiagnosisEncoder: Sendable {
    private let results: ResultEncoder

    /// - Parameter prober: the prober's name; nil hides it and all local addresses (profile `public`).
    package init(prober: String?) {
        results = ResultEncoder(prober: prober)
    }

    /// One diagnosis, followed by a newline.
    package func line(_ report: DiagnosisReport, of record: DiagnosisRecord) -> [UInt8] {
        var writer = JSONWriter(reserving: 8192)
        writer.beginObject()
        writer.member("verdict")
        writer.string(report.verdict.rawValue)
        writer.member("sentence")
        writer.string(report.sentence)
        writer.member("confidence")
        writer.string(report.confidence.rawValue)
        writer.member("causes")
        writer.beginArray()
        for cause in report.causes { writer.string(cause.rawValue) }
        writer.endArray()
        write(report.findings, to: &writer)
        write(report.ruledOut, to: &writer)
        write(report.next, to: &writer)
        writer.member("checks")
        writer.beginArray()
        results.write(record.check, of: record.request, to: &writer)
        for entry in record.experiments { results.write(entry.result, of: entry.request, to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.finishLine()
    }

    private func write(_ findings: [Finding], to writer: inout JSONWriter) {
        writer.member("findings")
        writer.beginArray()
        for finding in findings {
            writer.beginObject()
            writer.member("id")
            writer.string(finding.sign.rawValue)
            writer.member("supports")
            writer.string(finding.supports.rawValue)
            writer.member("observation")
            writer.string(finding.observation)
            writer.member("evidence")
            write(finding.evidence, to: &writer)
            writer.endObject()
        }
        writer.endArray()
    }

    private func write(_ evidence: Evidence, to writer: inout JSONWriter) {
        writer.beginObject()
        for member in evidence.members {
            writer.member(escaping: member.name)
            switch member.value {
            case .text(let text): writer.string(text)
            case .integer(let number): writer.integer(number)
            case .texts(let texts):
                writer.beginArray()
                for text in texts { writer.string(text) }
                writer.endArray()
            }
        }
        writer.endObject()
    }

    private func write(_ ruledOut: [RuledOutCause], to writer: inout JSONWriter) {
        writer.member("ruled_out")
        writer.beginArray()
        for entry in ruledOut {
            writer.beginObject()
            writer.member("cause")
            writer.string(entry.cause.rawValue)
            writer.member("because")
            writer.string(entry.because)
            writer.endObject()
        }
        writer.endArray()
    }

    private func write(_ commands: [NextCommand], to writer: inout JSONWriter) {
        writer.member("next")
        writer.beginArray()
        for command in commands {
            writer.beginObject()
            writer.member("command")
            writer.string(command.command)
            writer.member("where")
            writer.string(command.location.rawValue)
            writer.member("why")
            writer.string(command.why)
            writer.endObject()
        }
        writer.endArray()
    }
}
