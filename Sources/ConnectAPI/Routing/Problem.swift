package import StrictJSON

/// A problem, RFC 9457: why a request was refused.
///
/// A class, because each function that can throw it reserves room for it, and few do throw.
package final class Problem: Error, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case badRequest = "bad_request"
        case unauthorized
        case denied
        case foreignOrigin = "foreign_origin"
        case insufficientScope = "insufficient_scope"
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case requestTimeout = "request_timeout"
        case contentTooLarge = "content_too_large"
        case uriTooLong = "uri_too_long"
        case unsupportedMediaType = "unsupported_media_type"
        case misdirectedRequest = "misdirected_request"
        case tooManyRequests = "too_many_requests"
        case headerFieldsTooLarge = "header_fields_too_large"
        case overloaded
        case draining
        case versionNotSupported = "http_version_not_supported"

        package var status: Int {
            switch self {
            case .badRequest: 400
            case .unauthorized: 401
            case .denied, .foreignOrigin, .insufficientScope: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .requestTimeout: 408
            case .contentTooLarge: 413
            case .uriTooLong: 414
            case .unsupportedMediaType: 415
            case .misdirectedRequest: 421
            case .tooManyRequests: 429
            case .headerFieldsTooLarge: 431
            case .overloaded, .draining: 503
            case .versionNotSupported: 505
            }
        }

        var title: String {
            switch self {
            case .badRequest: "Bad Request"
            case .unauthorized: "Unauthorized"
            case .denied: "Denied by Policy"
            case .foreignOrigin: "Foreign Origin"
            case .insufficientScope: "Insufficient Scope"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .requestTimeout: "Request Timeout"
            case .contentTooLarge: "Content Too Large"
            case .uriTooLong: "URI Too Long"
            case .unsupportedMediaType: "Unsupported Media Type"
            case .misdirectedRequest: "Misdirected Request"
            case .tooManyRequests: "Too Many Requests"
            case .headerFieldsTooLarge: "Request Header Fields Too Large"
            case .overloaded: "Overloaded"
            case .draining: "Draining"
            case .versionNotSupported: "HTTP Version Not Supported"
            }
        }
    }

    package let kind: Kind
    package let detail: String
    /// The invalid inputs, if single inputs are the reason.
    package let errors: [JSONProblem]
    /// Header fields besides those of all responses.
    package let headers: [(name: String, value: String)]

    package init(
        _ kind: Kind, _ detail: String, errors: [JSONProblem] = [], headers: [(name: String, value: String)] = []
    ) {
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    /// The header field for problems that may pass soon.
    package static let retryAfter: (name: String, value: String) = ("Retry-After", "1")

    /// Invalid inputs, each with its pointer.
    package convenience init(_ problems: JSONProblems) {
        self.init(wrongInput: problems.problems, omittedCount: problems.omittedCount)
    }

    /// Invalid inputs, each with its pointer, and the number of further ones.
    package convenience init(wrongInput problems: [JSONProblem], omittedCount: Int = 0) {
        let count = problems.count + omittedCount
        let first = problems.first.map { ": \($0.pointer.isEmpty ? "the body" : $0.pointer): \($0.detail)" } ?? ""
        self.init(
            .badRequest, (count == 1 ? "1 input is invalid" : "\(count) inputs are invalid") + first, errors: problems)
    }

    /// A body that is not JSON, has a duplicate member, or exceeds a limit.
    package convenience init(_ error: JSONSyntaxError) {
        self.init(
            .badRequest, "the body \(error.predicate): \(error)",
            errors: [JSONProblem(pointer: error.pointer, detail: error.detail)])
    }

    /// The JSON document, followed by a newline.
    package var body: [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        writer.member("type")
        writer.string("urn:connectd:problem:" + kind.rawValue)
        writer.member("title")
        writer.string(kind.title)
        writer.member("status")
        writer.integer(kind.status)
        writer.member("detail")
        writer.string(detail)
        if !errors.isEmpty { ErrorEncoder.writeMember(errors, to: &writer) }
        writer.endObject()
        return writer.finishLine()
    }
}
