/// Bytes from the network as text of a result.
enum PrintableBytes {
    /// The first 1 KiB as it is where the bytes are UTF-8, else with `\xNN`, `\\`, `\r`, `\n` and `\t`.
    static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var cut = bytes.prefix(DialogLimits.shownBytes)
        if String(validating: bytes, as: UTF8.self) != nil {
            while cut.endIndex < bytes.endIndex, bytes[cut.endIndex] & 0xC0 == 0x80 { cut.removeLast() }
            return String(decoding: cut, as: UTF8.self)
        }
        return cut.reduce(into: "") { $0 += escape($1) }
    }

    private static func escape(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\\"): "\\\\"
        case UInt8(ascii: "\r"): "\\r"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\t"): "\\t"
        case 0x20...0x7E: String(UnicodeScalar(byte))
        case _: (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16, uppercase: true)
        }
    }
}
