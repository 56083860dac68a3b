extension JSONWriter {
    /// Bytes from the network as a string that a person can read and a program can turn back.
    ///
    /// Printable ASCII stands for itself but for the backslash, which is doubled; CR, LF and TAB are `\r`, `\n`, `\t`, any
    /// other byte is `\xNN` with upper case digits. That text has at most `limit` bytes; what is beyond is left out, and
    /// an escape is never cut.
    public mutating func printable(_ raw: UnsafeRawBufferPointer, limit: Int = 1024) {
        expectValue()
        bytes.append(UInt8(ascii: "\""))
        var room = limit
        for byte in raw {
            let size = Self.printableSize(byte)
            guard size <= room else { break }
            appendPrintable(byte)
            room -= size
        }
        bytes.append("\",")
    }

    /// Bytes from the network in an array; see the overload for borrowed memory.
    public mutating func printable(_ raw: [UInt8], limit: Int = 1024) {
        raw.withUnsafeBytes { printable($0, limit: limit) }
    }

    /// How many bytes of text stand for the byte, before JSON escapes that text in its turn.
    private static func printableSize(_ byte: UInt8) -> Int {
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "\t"): 2
        case 0x20...0x7E: 1
        case _: 4
        }
    }

    /// Each backslash of the text is two in JSON.
    private mutating func appendPrintable(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): bytes.append("\\\"")
        case UInt8(ascii: "\\"): bytes.append("\\\\\\\\")
        case UInt8(ascii: "\r"): bytes.append("\\\\r")
        case UInt8(ascii: "\n"): bytes.append("\\\\n")
        case UInt8(ascii: "\t"): bytes.append("\\\\t")
        case 0x20...0x7E: bytes.append(byte)
        case _:
            bytes.append("\\\\x")
            bytes.append(Self.upperHexDigit(byte >> 4))
            bytes.append(Self.upperHexDigit(byte & 0xF))
        }
    }
}
