/// Who asked for a check, and by which request: taken over into logs and, but for the client, into the result.
///
/// An object, since most checks have none.
public final class RequestOrigin: Sendable {
    /// The header field X-Request-Id.
    public let requestID: String?
    /// The header field `traceparent`, W3C Trace Context.
    public let traceparent: String?
    /// The name of the token that the request came with.
    public let client: String?

    public init(requestID: String?, traceparent: String?, client: String?) {
        self.requestID = requestID
        self.traceparent = traceparent
        self.client = client
    }
}
