internal import CheckEngine
internal import StrictJSON

/// Writes what other places said about a monitor that fails here: the member `confirmation`.
enum ConfirmationEncoder {
    static func writeMember(_ report: ConfirmationReport, to writer: inout JSONWriter) {
        writer.member("confirmation")
        writer.beginObject()
        writer.member("at")
        Timestamp.write(nanosecondsSince1970: report.atNanoseconds, to: &writer)
        writer.member("asked")
        writer.integer(report.opinions.count)
        writer.member("agree")
        writer.integer(report.needed)
        writer.member("agreed")
        writer.integer(report.count(of: .failed))
        writer.member("ok")
        writer.integer(report.count(of: .ok))
        writer.member("not_counted")
        writer.integer(report.count(of: .notCounted))
        writer.member("unavailable")
        writer.integer(report.count(of: .unavailable))
        writer.member("summary")
        writer.string(report.summary)
        writer.member("places")
        writer.beginArray()
        for opinion in report.opinions { write(opinion, to: &writer) }
        writer.endArray()
        writer.endObject()
    }

    private static func write(_ opinion: ConfirmationReport.Opinion, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("place")
        writer.string(opinion.place)
        writer.member("says")
        writer.string(opinion.kind.rawValue)
        writer.member("outcome")
        writer.string(opinion.outcome)
        if let detail = opinion.detail {
            writer.member("detail")
            writer.string(detail)
        }
        writer.endObject()
    }
}

extension ConfirmationReport {
    /// A sentence for people.
    var summary: String {
        if let reason { return "No other place was asked: \(reason)" }
        let agreed = count(of: .failed)
        let answered = opinions.count - count(of: .unavailable)
        let asked = opinions.count == 1 ? "1 place" : "\(opinions.count) places"
        guard answered > 0 else { return "None of \(asked) answered, so it is not known whether the target is down." }
        return "\(agreed) of \(asked) could not connect either; \(needed) must agree before the monitor is down."
    }
}
