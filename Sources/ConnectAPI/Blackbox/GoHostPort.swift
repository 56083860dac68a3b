/// A target's host and port as Go's `net.SplitHostPort` tells them apart.
///
/// blackbox_exporter resolves any host that it gets from it, whatever the port; its metrics show that.
struct GoHostPort: Equatable {
    /// Without brackets.
    let host: String
    let port: String

    /// - Returns: nil if there is no port, more than one colon outside of brackets, or a bracket too many or too few.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]", text.firstIndex(of: "]").map(text.index(after:)) == colon else { return nil }
            host = host.dropFirst().dropLast()
        } else if host.contains(where: { ":]".contains($0) }) {
            return nil
        }
        let port = text[text.index(after: colon)...]
        guard !host.contains("["), !port.contains(where: { "[]".contains($0) }) else { return nil }
        self.host = String(host)
        self.port = String(port)
    }
}
