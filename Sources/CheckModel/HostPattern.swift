/// A pattern of host names: `db.corp.example`, `*.corp.example`, `db-*.corp.example`.
///
/// A `*` that is the whole first label stands for one label or more, so that `*.corp.example` is every name below
/// `corp.example`, but not that name itself; `*` alone is every name. Elsewhere `*` and `?` stay within a label. Case and a
/// trailing dot play no part.
public struct HostPattern: Hashable, Sendable {
    public let text: String
    private let wildcards: Wildcards

    /// - Throws: If it can match no host name.
    public init(_ text: String) throws(PolicyRuleError) {
        guard IPAddress(parsing: text) == nil else {
            throw PolicyRuleError("An address stands in cidr, not in host.", member: .host)
        }
        let bytes = Self.folded(text)
        let labels = bytes.split(separator: .dot, omittingEmptySubsequences: false)
        guard labels.allSatisfy(Self.isLabel), bytes.count <= 253 else {
            throw PolicyRuleError(
                "A host pattern is a name of at most 253 bytes: labels of letters, digits, \"-\", \"_\", \"*\" and \"?\".",
                member: .host)
        }
        let beginsWithStar = labels.first?.elementsEqual([UInt8(ascii: "*")]) ?? false
        self.text = text
        wildcards = Wildcards(beginsWithStar ? [UInt8(ascii: "*")] + bytes : bytes, separator: .dot)
    }

    public func matches(_ name: String) -> Bool {
        wildcards.matches(Self.folded(name))
    }

    /// Small letters, without a trailing dot.
    private static func folded(_ name: String) -> [UInt8] {
        var bytes = name.utf8.map(\.lowercasedASCII)
        if bytes.last == .dot { bytes.removeLast() }
        return bytes
    }

    private static func isLabel(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.count <= 63
            && bytes.allSatisfy { $0.isASCIILetter || $0.decimalDigit != nil || "-_*?".utf8.contains($0) }
    }
}
