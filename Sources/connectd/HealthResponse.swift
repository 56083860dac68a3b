/// The answer to a health check, as far as it matters: RFC 9112, 4 and 6.3.
struct HealthResponse {
    let status: Int
    /// What stands behind the status, `Service Unavailable`, in a form that no terminal minds.
    let reason: String
    let body: [UInt8]
    /// Whether all of the body is there. Without Content-Length only the end of the connection tells.
    let isComplete: Bool

    /// nil as long as the head is not complete, and where this is no HTTP.
    init?(parsing bytes: [UInt8]) {
        guard let end = Self.endOfHead(bytes) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(whereSeparator: \.isNewline)
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1]),
            (100...599).contains(status)
        else { return nil }
        self.status = status
        reason = words.count == 3 ? Self.printable(words[2]) : ""
        let body = Array(bytes[end...])
        self.body = body
        isComplete = Self.contentLength(lines.dropFirst()).map { body.count >= $0 } ?? false
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard bytes.count >= end.count else { return nil }
        return (0...(bytes.count - end.count)).first { bytes[$0..<($0 + end.count)].elementsEqual(end) }
            .map { $0 + end.count }
    }

    private static func contentLength(_ fields: some Sequence<Substring>) -> Int? {
        let name = "content-length:"
        return fields.first { $0.lowercased().hasPrefix(name) }.flatMap { field in
            Int(field.dropFirst(name.count).filter { $0 != " " && $0 != "\t" })
        }
    }

    /// The body in one line of at most 300 characters that no terminal minds.
    var bodyLine: String {
        Self.printable(Substring(decoding: body, as: UTF8.self))
    }

    private static func printable(_ text: Substring) -> String {
        let words = text.unicodeScalars.split { !(0x21...0x7E).contains($0.value) }
        return String(words.map(Substring.init).joined(separator: " ").prefix(300))
    }
}
