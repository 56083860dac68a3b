/// One reference token of a JSON pointer (RFC 6901 section 3): a member's name or the index of an array's element.
public enum JSONPointerToken: Sendable {
    case member(String)
    case element(Int)

    /// The token with its leading slash, `~` as `~0` and `/` as `~1`.
    var escaped: String {
        switch self {
        case .element(let index):
            return "/\(index)"
        case .member(let name):
            var escaped: [UInt8] = [UInt8(ascii: "/")]
            escaped.reserveCapacity(name.utf8.count + 1)
            for byte in name.utf8 {
                switch byte {
                case UInt8(ascii: "~"): escaped += [UInt8(ascii: "~"), UInt8(ascii: "0")]
                case UInt8(ascii: "/"): escaped += [UInt8(ascii: "~"), UInt8(ascii: "1")]
                case _: escaped.append(byte)
                }
            }
            return String(decoding: escaped, as: UTF8.self)
        }
    }
}
