/// A request with its whole body.
public struct Request: Sendable {
    public let head: RequestHead
    /// At most the number of bytes that the handler admitted.
    public let body: [UInt8]
}
