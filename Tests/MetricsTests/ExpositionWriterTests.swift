import Metrics
import Testing

@Suite struct ExpositionWriterTests {
    private func text(_ format: ExpositionFormat, _ write: (inout ExpositionWriter) -> Void) -> String {
        var writer = ExpositionWriter(format: format)
        write(&writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test func aCounterHasTheNameOfItsFormat() {
        func write(_ writer: inout ExpositionWriter) {
            writer.family("things_total", .counter, help: "Things.")
            writer.sample("things_total", [("kind", "a")], UInt64(3))
        }
        #expect(
            text(.prometheus, write)
                == "# HELP things_total Things.\n# TYPE things_total counter\nthings_total{kind=\"a\"} 3\n")
        #expect(
            text(.openMetrics, write)
                == "# HELP things Things.\n# TYPE things counter\nthings_total{kind=\"a\"} 3\n# EOF\n")
    }

    @Test func labelsAreEscaped() {
        let written = text(.prometheus) { $0.sample("g", [("l", "a\"b\\c\nd")], 0.5) }
        #expect(written == "g{l=\"a\\\"b\\\\c\\nd\"} 0.5\n")
    }

    @Test(arguments: [(Double.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (2.0, "2.0"), (1e-7, "1e-07")])
    func numbersAreReadableByGo(_ value: Double, _ expected: String) {
        #expect(text(.prometheus) { $0.sample("g", [], value) } == "g \(expected)\n")
    }

    @Test func histogramBucketsAreCumulative() {
        var histogram = DurationHistogram()
        for nanoseconds: Int64 in [-5, 100_000, 100_001, 61_000_000_000] { histogram.observe(nanoseconds: nanoseconds) }
        let lines = text(.prometheus) { $0.histogram("h_seconds", [("phase", "tls")], histogram) }
            .split(separator: "\n")
        #expect(lines.first == "h_seconds_bucket{phase=\"tls\",le=\"0.0001\"} 2")
        #expect(lines[1] == "h_seconds_bucket{phase=\"tls\",le=\"0.00025\"} 3")
        #expect(lines[lines.count - 4] == "h_seconds_bucket{phase=\"tls\",le=\"60.0\"} 3")
        #expect(lines[lines.count - 3] == "h_seconds_bucket{phase=\"tls\",le=\"+Inf\"} 4")
        #expect(lines[lines.count - 2] == "h_seconds_sum{phase=\"tls\"} 61.000200001")
        #expect(lines.last == "h_seconds_count{phase=\"tls\"} 4")
    }
}
