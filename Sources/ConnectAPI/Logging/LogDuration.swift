internal import Logging
internal import StrictJSON

/// A duration in a log line: decimal milliseconds with a resolution of a microsecond. JSON has it as a number.
struct LogDuration: CustomStringConvertible, Sendable {
    let nanoseconds: Int64

    /// As `timings_ms` in results: 300,000 ns are `0.3`.
    var description: String {
        var writer = JSONWriter(reserving: 24)
        writer.milliseconds(nanoseconds: nanoseconds)
        return String(decoding: writer.finishLine().dropLast(), as: UTF8.self)
    }
}

extension Logger.MetadataValue {
    static func duration(nanoseconds: Int64) -> Self {
        .stringConvertible(LogDuration(nanoseconds: nanoseconds))
    }
}

extension JSONWriter {
    /// A value of a log line: a number where it is one, otherwise its text.
    mutating func logValue(_ value: Logger.MetadataValue) {
        guard case .stringConvertible(let content) = value else { return string(value.description) }
        switch content {
        case let duration as LogDuration: milliseconds(nanoseconds: duration.nanoseconds)
        case let number as Int: integer(number)
        default: string(content.description)
        }
    }
}
