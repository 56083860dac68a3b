/// The method of a request (RFC 9110, section 9).
public enum HTTPMethod: Hashable, Sendable {
    case get, head, post, put, patch, delete, options, trace, connect
    /// Any other token, as it was sent.
    case other(String)

    /// The name, as in the request line.
    public var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other(let name): name
        }
    }

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        func isName(_ name: StaticString) -> Bool { ASCII.equal(bytes, name) }
        self =
            if isName("GET") {
                .get
            } else if isName("POST") {
                .post
            } else if isName("HEAD") {
                .head
            } else if isName("PUT") {
                .put
            } else if isName("PATCH") {
                .patch
            } else if isName("DELETE") {
                .delete
            } else if isName("OPTIONS") {
                .options
            } else if isName("TRACE") {
                .trace
            } else if isName("CONNECT") {
                .connect
            } else {
                .other(String(decoding: bytes, as: UTF8.self))
            }
    }
}
