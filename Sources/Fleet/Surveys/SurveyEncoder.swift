internal import StrictJSON

/// Writes surveys as JSON, with the members in the order of the specification.
package enum SurveyEncoder {
    /// The document of a survey, followed by a newline.
    package static func document(_ conclusion: SurveyConclusion, _ entries: [SurveyEntry]) -> [UInt8] {
        let size = entries.reduce(4096) { $0 + $1.result.count + 256 }
        var writer = JSONWriter(reserving: size)
        writer.beginObject()
        writeVerdict(conclusion, to: &writer)
        writer.member("vantages")
        writer.beginArray()
        for entry in entries { write(entry, to: &writer) }
        writer.endArray()
        writeDifferences(conclusion, to: &writer)
        writer.endObject()
        return writer.finishLine()
    }

    /// The line of one place.
    package static func line(_ entry: SurveyEntry) -> [UInt8] {
        var writer = JSONWriter(reserving: entry.result.count + 256)
        write(entry, to: &writer)
        return writer.finishLine()
    }

    /// The last line.
    package static func line(_ conclusion: SurveyConclusion) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writeVerdict(conclusion, to: &writer)
        writeDifferences(conclusion, to: &writer)
        writer.endObject()
        return writer.finishLine()
    }

    private static func writeVerdict(_ conclusion: SurveyConclusion, to writer: inout JSONWriter) {
        writer.member("verdict")
        writer.string(conclusion.verdict.conclusion.rawValue)
        writer.member("where")
        writer.string(conclusion.verdict.location?.rawValue)
        writer.member("sentence")
        writer.string(conclusion.sentence)
        let summary = conclusion.summary
        writer.member("summary")
        writer.beginObject()
        writer.member("asked")
        writer.integer(summary.asked)
        writer.member("counted")
        writer.integer(summary.counted)
        writer.member("ok")
        writer.integer(summary.ok)
        writer.member("failed")
        writer.integer(summary.failed)
        writer.member("by_outcome")
        writer.beginObject()
        for (outcome, count) in summary.byOutcome {
            writer.member(escaping: outcome)
            writer.integer(count)
        }
        writer.endObject()
        writer.endObject()
    }

    private static func write(_ entry: SurveyEntry, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("place")
        writer.string(entry.place)
        writer.member("status")
        writer.string(entry.status.rawValue)
        if let detail = entry.detail {
            writer.member("detail")
            writer.string(detail)
        } else {
            writer.member("result")
            writer.fragment(JSONFragment(encoded: entry.result))
        }
        writer.endObject()
    }

    private static func writeDifferences(_ conclusion: SurveyConclusion, to writer: inout JSONWriter) {
        writer.member("differences")
        writer.beginArray()
        for difference in conclusion.differences {
            writer.beginObject()
            writer.member("pointer")
            writer.string(difference.pointer)
            writer.member("values")
            writer.beginArray()
            for value in difference.values {
                writer.beginObject()
                writer.member("value")
                writer.value(value.value)
                writer.member("places")
                writer.beginArray()
                for place in value.places { writer.string(place) }
                writer.endArray()
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
    }
}
