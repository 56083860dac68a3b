/// Who asked for a check, and by which request: taken over into logs and, but for the client, into the result.
///
/// An object, since most checks have none.
public final class RequestOrigin: Sendable {
    /// The header field X-Request-Id.
    public let requestID: String?
    /// The header field `traceparent`, W3C Trace Context.
    public let traceparent: String?
    /// The name of the token that the request came with; without one that of the client's certificate, behind
    /// `certificatePrefix`.
    public let client: String?

    /// No token's name has a colon in it: no certificate passes for one.
    public static let certificatePrefix = "cert:"

    public static func isCertificate(_ client: String) -> Bool { client.hasPrefix(certificatePrefix) }

    public init(requestID: String?, traceparent: String?, client: String?) {
        self.requestID = requestID
        self.traceparent = traceparent
        self.client = client
    }
}
