package import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
package import StrictJSON

/// Writes `after`, what happened while the connection was held.
enum HoldEncoder {
    static func writeMember(_ report: HoldReport, to writer: inout JSONWriter) {
        writer.member("after")
        writer.beginObject()
        writer.member("event")
        writer.string(report.event.rawValue)
        writer.member("ms")
        writer.milliseconds(nanoseconds: report.nanoseconds)
        writer.endObject()
    }
}

/// Writes `rounds`, the statistics of a check with several rounds.
package enum RoundsEncoder {
    static func writeMember(_ statistics: RoundStatistics, to writer: inout JSONWriter) {
        writer.member("rounds")
        write(statistics, to: &writer)
    }

    /// The statistics as a value.
    package static func write(_ statistics: RoundStatistics, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("sent")
        writer.integer(statistics.sent)
        writer.member("ok")
        writer.integer(statistics.ok)
        writer.member("loss")
        number(statistics.loss, to: &writer)
        writer.member("by_outcome")
        writer.beginObject()
        for entry in statistics.byOutcome {
            writer.member(escaping: entry.outcome.word)
            writer.integer(entry.count)
        }
        writer.endObject()
        writeTimes(statistics.times, to: &writer)
        writeRetransmitted(statistics.retransmittedTimes, to: &writer)
        writer.member("syn_sent")
        writer.integer(statistics.synSent)
        writer.member("syn_retransmits")
        writer.integer(statistics.synRetransmits)
        writeRoundTrips(statistics.rtts, to: &writer)
        writer.member("longest_outage_ms")
        writer.milliseconds(nanoseconds: statistics.longestOutage)
        writer.member("addresses")
        writer.beginArray()
        for address in statistics.addresses { writer.address(address) }
        writer.endArray()
        writer.endObject()
    }

    private static func writeTimes(_ times: SampleDistribution, to writer: inout JSONWriter) {
        writer.member("min_ms")
        milliseconds(times.min, to: &writer)
        writer.member("median_ms")
        milliseconds(times.median, to: &writer)
        writer.member("avg_ms")
        milliseconds(times.mean, to: &writer)
        writer.member("p95_ms")
        milliseconds(times.percentile95, to: &writer)
        writer.member("max_ms")
        milliseconds(times.max, to: &writer)
        writer.member("stddev_ms")
        milliseconds(times.standardDeviation, to: &writer)
    }

    private static func writeRetransmitted(_ times: SampleDistribution, to writer: inout JSONWriter) {
        writer.member("retransmitted")
        guard times.count > 0 else { return writer.null() }
        writer.beginObject()
        writer.member("rounds")
        writer.integer(times.count)
        writer.member("min_ms")
        milliseconds(times.min, to: &writer)
        writer.member("median_ms")
        milliseconds(times.median, to: &writer)
        writer.member("max_ms")
        milliseconds(times.max, to: &writer)
        writer.endObject()
    }

    private static func writeRoundTrips(_ times: SampleDistribution, to writer: inout JSONWriter) {
        writer.member("rtt_us")
        writer.beginObject()
        writer.member("min")
        number(times.min, to: &writer)
        writer.member("median")
        number(times.median, to: &writer)
        writer.member("max")
        number(times.max, to: &writer)
        writer.endObject()
    }

    /// - Parameter nanoseconds: nil for null.
    private static func milliseconds(_ nanoseconds: Double?, to writer: inout JSONWriter) {
        guard let nanoseconds else { return writer.null() }
        writer.milliseconds(nanoseconds: Int64(nanoseconds.rounded()))
    }

    /// A whole number without a point; null for nil.
    private static func number(_ value: Double?, to writer: inout JSONWriter) {
        guard let value else { return writer.null() }
        if let whole = Int(exactly: value) { writer.integer(whole) } else { writer.number(value) }
    }
}
