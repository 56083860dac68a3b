internal import CheckModel

/// Names that a Host header may carry.
enum HostName {
    /// In small letters, without a trailing dot.
    static func read(_ text: String) throws(ValueRefusal) -> String {
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        guard IPAddress(parsing: name) == nil else {
            throw ValueRefusal("is an address, which a Host header may carry anyway")
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy(isLabel), let last = labels.last, !last.allSatisfy(\.isNumber)
        else {
            throw ValueRefusal("is no host name; it takes neither scheme nor port")
        }
        return name.lowercased()
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count)
            && label.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
