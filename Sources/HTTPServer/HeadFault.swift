/// Why a request's head is refused; every one of these ends the connection.
enum HeadFault: String {
    case version = "The HTTP version is neither 1.0 nor 1.1."
    case method = "The method is not a token."
    case target = "The request target is malformed."
    case authority = "The target names another authority than the Host header."
    case lineEnding = "A line of the head does not end in CR LF, is folded, or holds a NUL."
    case headerName = "A header's name is not a token."
    case headerValue = "A header's value holds a control byte."
    case hostMissing = "The Host header is missing."
    case hostRepeated = "There is more than one Host header."
    case hostMalformed = "The Host header is not a host with an optional port."
    case lengthRepeated = "There is more than one Content-Length header."
    case lengthMalformed = "The Content-Length is not a number."
    case fieldRepeated = "There is more than one Content-Type, Origin or Sec-Fetch-Site header."
    case codingUnknown = "The only Transfer-Encoding that is understood is a single chunked."
    case codingAndLength = "Transfer-Encoding and Content-Length exclude each other."
    case codingInOldVersion = "HTTP/1.0 has no Transfer-Encoding."
}
