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
        if isWord, !value.isEmpty { return value }
        var result = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
            case _: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        case _: false
        }
    }
}
