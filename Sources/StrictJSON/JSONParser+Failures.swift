extension JSONParser {
    /// A failure at `position`.
    func failure(_ detail: String) -> JSONFailure {
        JSONFailure(offset: position, detail: detail)
    }

    /// A failure at `position`, where something else had to stand.
    func unexpected(_ bytes: Span<UInt8>, _ expected: String) -> JSONFailure {
        failure("expected \(expected), found \(found(bytes))\(remark(bytes))")
    }

    /// What stands at `position`, fit to be read by a person.
    func found(_ bytes: Span<UInt8>) -> String {
        guard position < bytes.count else { return "the end of the document" }
        let byte = bytes[position]
        guard (0x21...0x7E).contains(byte) else {
            let digits = String(byte, radix: 16, uppercase: true)
            return "byte 0x" + (byte < 0x10 ? "0" : "") + digits
        }
        return "'\(Character(UnicodeScalar(byte)))'"
    }

    /// Names the habit of a laxer notation behind the byte, where there is one.
    private func remark(_ bytes: Span<UInt8>) -> String {
        guard position < bytes.count else { return "" }
        return switch bytes[position] {
        case UInt8(ascii: "/"), UInt8(ascii: "#"): "; JSON has no comments"
        case UInt8(ascii: "'"): "; strings stand in double quotes"
        case UInt8(ascii: "N"), UInt8(ascii: "I"): "; NaN and Infinity are not JSON"
        case UInt8(ascii: "+"), UInt8(ascii: "."): "; a number starts with a digit or a minus sign"
        case _: ""
        }
    }
}
