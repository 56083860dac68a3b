/// Why a request head is malformed. Each fault is a 400 that closes the connection.
enum HeadFault: String {
    case version = "The HTTP version is neither 1.0 nor 1.1."
    case method = "The method is not a token."
    case target = "The request target is malformed."
    case authority = "The authority of the request target differs from the Host header."
    case lineEnding = "A header line does not end in CR LF, is folded, or contains a NUL."
    case headerName = "A header name is not a token."
    case headerValue = "A header value contains a control character."
    case hostMissing = "The Host header is missing."
    case hostRepeated = "There is more than one Host header."
    case hostMalformed = "The Host header is not a host with an optional port."
    case lengthRepeated = "There is more than one Content-Length header."
    case lengthMalformed = "The Content-Length is not a number."
    case fieldRepeated = "There is more than one Content-Type, Origin or Sec-Fetch-Site header."
    case codingUnknown = "The only supported Transfer-Encoding is a single \"chunked\"."
    case codingAndLength = "The request has both Transfer-Encoding and Content-Length."
    case codingInOldVersion = "HTTP/1.0 does not support Transfer-Encoding."
}
