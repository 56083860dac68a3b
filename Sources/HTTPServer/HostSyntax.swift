/// The syntax of a Host header: `uri-host [ ":" port ]` (RFC 9110, section 7.2; RFC 3986, section 3.2.2).
///
/// It rejects what another parser could take for a path, userinfo or a second host, and an empty host, which no http URL
/// may have (RFC 9110, section 4.2.1).
enum HostSyntax {
    static func accepts(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = value.first else { return false }
        return first == UInt8(ascii: "[") ? acceptsLiteral(value) : acceptsName(value)
    }

    /// Something in brackets. Whether it is a valid address is checked where the host is compared.
    private static func acceptsLiteral(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let end = value.firstIndex(of: UInt8(ascii: "]")), end > 1 else { return false }
        let isAddress = value[1..<end].allSatisfy { isNameByte($0) || $0 == UInt8(ascii: ":") || $0 == percent }
        return isAddress && acceptsPort(value[(end + 1)...])
    }

    /// A registered name or a dotted quad.
    private static func acceptsName(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        let end = value.firstIndex(of: UInt8(ascii: ":")) ?? value.endIndex
        return end > 0 && acceptsNameBytes(value[..<end]) && acceptsPort(value[end...])
    }

    private static func acceptsNameBytes(_ name: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var rest = name
        while let byte = rest.popFirst() {
            if byte == percent {
                guard let high = rest.popFirst(), let low = rest.popFirst(), ASCII.hexValue(high) != nil,
                    ASCII.hexValue(low) != nil
                else { return false }
            } else if !isNameByte(byte) {
                return false
            }
        }
        return true
    }

    /// The port after the colon may be empty.
    private static func acceptsPort(_ rest: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        rest.isEmpty || (rest.first == UInt8(ascii: ":") && rest.dropFirst().allSatisfy(ASCII.isDigit))
    }

    private static let percent = UInt8(ascii: "%")

    /// unreserved and sub-delims except the comma, which would separate several hosts.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ";"),
            UInt8(ascii: "="):
            true
        default:
            false
        }
    }
}
