/// Names as they are compared: RFC 4343.
enum DomainName {
    /// RFC 1035 section 2.3.4, in the textual form without the last dot.
    static let largestLength = 253

    /// In small ASCII letters, without the dot at the end.
    static func normalized(_ name: some StringProtocol) -> String {
        let bytes = name.utf8.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
        let bare = bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes[...]
        return String(decoding: bare, as: UTF8.self)
    }

    /// RFC 6761 section 6.3: `localhost` and all below it, which never leave the machine.
    static func isLocalhost(_ normalized: String) -> Bool {
        normalized == "localhost" || normalized.hasSuffix(".localhost")
    }
}
