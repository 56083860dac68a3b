/// One encoded JSON value, kept to be written many times: a part of a response that is always the same.
public struct JSONFragment: Sendable {
    /// The value in UTF-8, always valid JSON.
    public let bytes: [UInt8]

    /// Encodes what `write` writes, which has to be one value.
    public init(_ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        write(&writer)
        bytes = writer.finish()
    }
}
