/// Content types, RFC 9110 section 8.3.
enum MediaType {
    /// Whether it is application/json, whatever its parameters but a charset that is not UTF-8.
    static func isJSON(_ value: String) -> Bool {
        if value == "application/json" { return true }
        let parts = value.lowercased().split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        guard parts.first == "application/json" else { return false }
        return parts.dropFirst().allSatisfy { parameter in
            !parameter.hasPrefix("charset=") || ["charset=utf-8", "charset=\"utf-8\""].contains(String(parameter))
        }
    }

    private static func trimmed(_ part: Substring) -> Substring {
        let front = part.drop { $0 == " " || $0 == "\t" }
        guard let last = front.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return front[...last]
    }
}
