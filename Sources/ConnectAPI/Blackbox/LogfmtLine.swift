/// One line of a probe's log: `ts=… level=info key=value msg="…"`.
struct LogfmtLine {
    private(set) var text = ""

    /// - Parameter time: wall-clock time, nanoseconds since 1970.
    init(at time: Int64, level: String, _ message: String) {
        append("ts", Timestamp.text(nanosecondsSince1970: time))
        append("level", level)
        append("msg", message)
    }

    mutating func append(_ key: String, _ value: String) {
        if !text.isEmpty { text += " " }
        text += "\(key)=\(Self.quoted(value))"
    }

    /// As it is where it is one plain word, else in quotes with escapes: what peers and clients wrote stays on its line.
    private static func quoted(_ value: String) -> String {
        let isWord = value.utf8.allSatisfy { (0x21...0x7E).contains($0) && !#""=\"#.utf8.contains($0) }
        return isWord && !value.isEmpty ? value : QuotedText.text(value)
    }
}
