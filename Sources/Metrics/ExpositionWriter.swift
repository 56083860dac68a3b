/// Writes metrics as text, one family after another.
public struct ExpositionWriter {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }
    public typealias Labels = [(name: String, value: String)]

    private let format: ExpositionFormat
    private var text = ""

    public init(format: ExpositionFormat) {
        self.format = format
    }

    /// Begins a family; its samples follow.
    /// - Parameter name: the name of its samples; a counter's name ends in `_total`.
    public mutating func family(_ name: String, _ kind: Kind, help: String) {
        // In OpenMetrics, the family of a counter has no suffix.
        let isBare = format == .openMetrics && kind == .counter && name.hasSuffix("_total")
        let family = isBare ? String(name.dropLast("_total".count)) : name
        text += "# HELP \(family) \(Self.escaped(help, quotes: format == .openMetrics))\n"
        text += "# TYPE \(family) \(kind.rawValue)\n"
    }

    public mutating func sample(_ name: String, _ labels: Labels, _ value: UInt64) {
        line(name, labels, String(value))
    }

    public mutating func sample(_ name: String, _ labels: Labels, _ value: Double) {
        line(name, labels, Self.text(of: value))
    }

    /// The samples of one histogram, in seconds.
    public mutating func histogram(_ name: String, _ labels: Labels, _ histogram: DurationHistogram) {
        var cumulated: UInt64 = 0
        for (bound, count) in zip(DurationHistogram.boundsNanoseconds, histogram.counts) {
            cumulated += count
            let label = Self.text(of: Double(bound) / 1e9)
            line("\(name)_bucket", labels + [("le", label)], String(cumulated))
        }
        line("\(name)_bucket", labels + [("le", "+Inf")], String(histogram.count))
        line("\(name)_sum", labels, Self.text(of: Double(histogram.sumNanoseconds) / 1e9))
        line("\(name)_count", labels, String(histogram.count))
    }

    /// The whole text.
    public consuming func finish() -> [UInt8] {
        if format == .openMetrics { text += "# EOF\n" }
        return Array(text.utf8)
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: String) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    /// The number as Go's client libraries write it: `+Inf`, `NaN`, and whole numbers with a fraction in OpenMetrics'
    /// bounds.
    private static func text(of value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// A text format for metrics.
public enum ExpositionFormat: Sendable {
    /// Prometheus text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.0.
    case openMetrics

    public var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// OpenMetrics if the client accepts it and does not prefer plain text (RFC 9110, 12.5.1), otherwise Prometheus'
    /// format.
    public init(accept: String?) {
        var openMetrics = 0.0
        var text = 0.0
        for range in (accept ?? "").split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard let type = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch type {
            case "application/openmetrics-text":
                if parts.contains("version=0.0.1") { continue }
                openMetrics = max(openMetrics, quality)
            case "text/plain", "text/*": text = max(text, quality)
            case _: break
            }
        }
        self = openMetrics > 0 && openMetrics >= text ? .openMetrics : .prometheus
    }
}
