extension JSONWriter {
    /// A string; only what RFC 8259 section 7 demands is escaped, so U+2028 and `/` stand as they are.
    package mutating func string(_ text: String) {
        expectValue()
        appendQuoted(text, then: UInt8(ascii: ","))
    }

    /// A string, or null where there is none.
    package mutating func string(_ text: String?) {
        if let text { string(text) } else { null() }
    }

    /// The text in quotes, and the separator that follows it.
    mutating func appendQuoted(_ text: String, then separator: UInt8) {
        var text = text
        text.withUTF8 { text in
            guard let start = text.baseAddress else {
                bytes.append("\"\"")
                return bytes.append(separator)
            }
            // In pieces, so that room for the longest escape of each byte stays small.
            var offset = 0
            bytes.append(UInt8(ascii: "\""))
            while offset < text.count {
                let count = min(text.count - offset, 512)
                bytes.append(atMost: count * 6) { Self.putEscaped(start + offset, count, at: $0) }
                offset += count
            }
            bytes.append(atMost: 2) { room in
                room[0] = UInt8(ascii: "\"")
                room[1] = separator
                return 2
            }
        }
    }

    /// Puts `count` bytes of text there, six for one at most, and says how many; copies eight at once where none of them
    /// needs an escape.
    private static func putEscaped(
        _ text: UnsafePointer<UInt8>, _ count: Int, at room: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var index = 0
        var end = 0
        while index < count {
            if count - index >= 8 {
                let eight = UnsafeRawPointer(text + index).loadUnaligned(as: UInt64.self)
                if !needsEscape(eight) {
                    UnsafeMutableRawPointer(room + end).storeBytes(of: eight, as: UInt64.self)
                    index += 8
                    end += 8
                    continue
                }
            }
            // The rest of the text, or up to the end of the eight bytes of which one needs an escape.
            let stop = min(index + 8, count)
            while index < stop {
                end += put(text[index], at: room + end)
                index += 1
            }
        }
        return end
    }

    @inline(__always)
    private static func put(_ byte: UInt8, at room: UnsafeMutablePointer<UInt8>) -> Int {
        guard needsEscape(byte) else {
            room[0] = byte
            return 1
        }
        return putEscape(byte, at: room)
    }

    /// Puts the escape of a byte that needs one there, 2 or 6 bytes, and says how many.
    private static func putEscape(_ byte: UInt8, at room: UnsafeMutablePointer<UInt8>) -> Int {
        room[0] = UInt8(ascii: "\\")
        switch byte {
        case 0x08: room[1] = UInt8(ascii: "b")
        case 0x09: room[1] = UInt8(ascii: "t")
        case 0x0A: room[1] = UInt8(ascii: "n")
        case 0x0C: room[1] = UInt8(ascii: "f")
        case 0x0D: room[1] = UInt8(ascii: "r")
        case 0x00..<0x20:
            room[1] = UInt8(ascii: "u")
            room[2] = UInt8(ascii: "0")
            room[3] = UInt8(ascii: "0")
            room[4] = upperHexDigit(byte >> 4)
            room[5] = upperHexDigit(byte & 0xF)
            return 6
        case _: room[1] = byte
        }
        return 2
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Whether one of eight bytes is below 0x20, a quote or a backslash: `(x - n) & ~x` has the top bit of a byte set where
    /// one is below n, borrows included, and a byte that equals c is below 1 after an exclusive or with c.
    @inline(__always)
    private static func needsEscape(_ eight: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = eight ^ (ones &* 0x22)
        let backslash = eight ^ (ones &* 0x5C)
        let control = (eight &- ones &* 0x20) & ~eight
        return (control | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & (ones &* 0x80) != 0
    }

    /// Whether the byte may stand in a name that is written as it is.
    static func isPlain(_ byte: UInt8) -> Bool {
        byte < 0x7F && !needsEscape(byte)
    }

    static func upperHexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
    }
}
