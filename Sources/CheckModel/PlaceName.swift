/// The name of a place in a fleet: a machine or a site from which several instances of connectd check.
///
/// 1 … 63 letters, digits, `-` and `_`. So it is one token of a NATS subject, and neither a wildcard nor two tokens.
public struct PlaceName: Hashable, Sendable, Comparable {
    public let text: String

    /// Words that a list of places has for something else.
    private static let reserved: Set<String> = ["here", "any"]

    /// The rule for names, for messages about a name that breaks it.
    public static let rule = "must have 1 to 63 letters, digits, - and _, and not be here or any"

    /// - Returns: nil if the text breaks the rule.
    public init?(_ text: String) {
        guard (1...63).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed), !Self.reserved.contains(text)
        else { return nil }
        self.text = text
    }

    /// The place of a machine whose configuration names none. Characters that the rule forbids, such as the dots of a
    /// domain, become `-`.
    public init(hostName: String) {
        let bytes = hostName.utf8.prefix(63).map { Self.isAllowed($0) ? $0 : UInt8(ascii: "-") }
        let text = String(decoding: bytes, as: UTF8.self)
        self = PlaceName(text) ?? PlaceName(unchecked: "host-" + (text.isEmpty ? "unnamed" : text))
    }

    private init(unchecked text: String) {
        self.text = text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    public static func < (left: PlaceName, right: PlaceName) -> Bool { left.text < right.text }
}
