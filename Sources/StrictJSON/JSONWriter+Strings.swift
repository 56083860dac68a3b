extension JSONWriter {
    /// A string; only what RFC 8259 section 7 demands is escaped, so U+2028 and `/` stand as they are.
    package mutating func string(_ text: String) {
        beginValue()
        appendQuoted(text)
    }

    /// A string, or null where there is none.
    package mutating func string(_ text: String?) {
        if let text { string(text) } else { null() }
    }

    /// Bytes from the network as a string that a person can read and a program can turn back.
    ///
    /// Printable ASCII stands for itself but for the backslash, which is doubled; CR, LF and TAB are `\r`, `\n`, `\t`, any
    /// other byte is `\xNN` with upper case digits. That text has at most `limit` bytes; what is beyond is left out, never half an escape.
    package mutating func printable(_ raw: UnsafeRawBufferPointer, limit: Int = 1024) {
        beginValue()
        bytes.append(UInt8(ascii: "\""))
        var room = limit
        for byte in raw where room > 0 {
            room -= appendPrintable(byte, room: room)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Bytes from the network in an array; see the overload for borrowed memory.
    package mutating func printable(_ raw: [UInt8], limit: Int = 1024) {
        raw.withUnsafeBytes { printable($0, limit: limit) }
    }

    /// How much room the byte took, which is all of it where it does not fit. A backslash of the text is two in JSON.
    private mutating func appendPrintable(_ byte: UInt8, room: Int) -> Int {
        let letter: UInt8
        switch byte {
        case UInt8(ascii: "\""):
            appendEscape(byte)
            return 1
        case UInt8(ascii: "\\"): letter = byte
        case UInt8(ascii: "\r"): letter = UInt8(ascii: "r")
        case UInt8(ascii: "\n"): letter = UInt8(ascii: "n")
        case UInt8(ascii: "\t"): letter = UInt8(ascii: "t")
        case 0x20...0x7E:
            bytes.append(byte)
            return 1
        case _:
            guard room >= 4 else { return room }
            appendEscape(UInt8(ascii: "\\"))
            bytes.append(UInt8(ascii: "x"))
            bytes.append(Self.upperHexDigit(byte >> 4))
            bytes.append(Self.upperHexDigit(byte & 0xF))
            return 4
        }
        guard room >= 2 else { return room }
        appendEscape(UInt8(ascii: "\\"))
        if letter == UInt8(ascii: "\\") { appendEscape(letter) } else { bytes.append(letter) }
        return 2
    }

    mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { appendEscaping($0) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Copies runs that need no escape whole.
    private mutating func appendEscaping(_ text: UnsafeBufferPointer<UInt8>) {
        var plain = 0
        for index in text.indices where Self.needsEscape(text[index]) {
            bytes.append(UnsafeBufferPointer(rebasing: text[plain..<index]))
            appendEscape(text[index])
            plain = index + 1
        }
        bytes.append(UnsafeBufferPointer(rebasing: text[plain...]))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x00..<0x20:
            bytes.append(UInt8(ascii: "u"))
            bytes.append(UInt8(ascii: "0"))
            bytes.append(UInt8(ascii: "0"))
            bytes.append(Self.upperHexDigit(byte >> 4))
            bytes.append(Self.upperHexDigit(byte & 0xF))
        case _: bytes.append(byte)
        }
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Whether the byte may stand in a name that is written as it is.
    static func isPlain(_ byte: UInt8) -> Bool {
        byte < 0x7F && !needsEscape(byte)
    }

    private static func upperHexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
    }
}
