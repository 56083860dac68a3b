/// Names that users give to tokens and keys, which then stand in logs, metrics and requests.
enum EntryName {
    static let rule = "1 to 64 letters, digits, \".\", \"_\" or \"-\""

    /// The name, or nil where it breaks the rule.
    static func read(_ bytes: some Collection<UInt8>) -> String? {
        guard (1...64).contains(bytes.count), bytes.allSatisfy(isAllowed) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
