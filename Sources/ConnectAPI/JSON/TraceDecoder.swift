internal import CheckModel
internal import StrictJSON

/// Reads `trace`: when to trace, or an object with options.
package enum TraceDecoder {
    /// - Parameter maximumTimeout: the configured limit for timeouts, in milliseconds.
    /// - Returns: nil for `never`, and for a value that was reported as invalid.
    static func options(_ cursor: inout JSONCursor, maximumTimeout: Int) -> TraceOptions? {
        let options: TraceOptions?
        switch cursor.value {
        case .string:
            options = cursor.enumeration(TraceOptions.When.self).map {
                TraceOptions(when: $0, timeoutMilliseconds: defaultTimeout(maximumTimeout))
            }
        case .object: options = cursor.object { members(&$0, maximumTimeout) }
        case .null, .bool, .integer, .number, .array:
            cursor.reportMismatch(expected: "\"never\", \"on_failure\", \"always\" or an object")
            return nil
        }
        return options?.when == .never ? nil : options
    }

    private static func members(_ reader: inout JSONObjectReader, _ maximumTimeout: Int) -> TraceOptions {
        TraceOptions(
            when: reader.enumeration("when", TraceOptions.When.self) ?? .onFailure,
            maxTTL: reader.integer("max_ttl", in: TraceOptions.maxTTLRange) ?? TraceOptions.defaultMaxTTL,
            flow: reader.enumeration("flow", TraceOptions.Flow.self) ?? .varied,
            timeoutMilliseconds: reader.integer("timeout_ms", in: 1...maximumTimeout)
                ?? defaultTimeout(maximumTimeout))
    }

    /// - Parameter maximum: the configured limit for timeouts, in milliseconds.
    package static func defaultTimeout(_ maximum: Int) -> Int {
        min(TraceOptions.defaultTimeoutMilliseconds, maximum)
    }
}
