extension JSONValue {
    /// Reads one document as RFC 8259 and nothing beyond it.
    ///
    /// Refused besides bad grammar: a byte order mark, bad UTF-8, lone surrogates, a name twice in one object, numbers
    /// beyond a double, and what exceeds the limits. `\u0000` in a string is legal and left to the caller to judge.
    public static func parse(
        _ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) -> JSONValue {
        var parser = JSONParser(limits: limits)
        do throws(JSONFailure) {
            return try parser.document(bytes)
        } catch {
            throw JSONSyntaxError(error, in: bytes)
        }
    }

    /// Reads one document from an array; see the overload for a span.
    public static func parse(
        _ bytes: [UInt8], limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) -> JSONValue {
        try parse(bytes.span, limits: limits)
    }

    /// Reads one document from borrowed memory, which is not kept; see the overload for a span.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) -> JSONValue {
        try parse(bytes.bindMemory(to: UInt8.self).span, limits: limits)
    }
}
