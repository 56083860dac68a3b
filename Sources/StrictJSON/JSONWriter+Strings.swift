extension JSONWriter {
    /// A string. Only what RFC 8259 section 7 requires is escaped, so U+2028 and `/` are not.
    public mutating func string(_ text: String) {
        expectValue()
        appendQuoted(text, then: UInt8(ascii: ","))
    }

    /// A string, or null.
    public mutating func string(_ text: String?) {
        if let text { string(text) } else { null() }
    }

    /// A string of at most `size` bytes. `write` stores it at the given address and returns its size; it must be
    /// printable ASCII without quotes and backslashes.
    @inlinable
    public mutating func plainString(atMost size: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        expectValue()
        bytes.append(atMost: size + 3) { room in
            room[0] = UInt8(ascii: "\"")
            let end = write(room + 1) &+ 1
            assert((room + 1..<room + end).allSatisfy { Self.isPlain($0.pointee) })
            room[end] = UInt8(ascii: "\"")
            room[end &+ 1] = UInt8(ascii: ",")
            return end &+ 2
        }
    }

    /// The text in quotes, and the separator after it; reserves room for the longest escape of every byte.
    mutating func appendQuoted(_ text: String, then separator: UInt8) {
        var text = text
        text.withUTF8 { text in
            bytes.append(atMost: text.count * 6 + 3) { room in
                room[0] = UInt8(ascii: "\"")
                let end = Self.putEscaped(text, at: room + 1) &+ 1
                room[end] = UInt8(ascii: "\"")
                room[end &+ 1] = separator
                return end &+ 2
            }
        }
    }

    /// Stores the text, at most six bytes for one, and returns the size. Eight bytes without escapes are copied at
    /// once. The last eight may overlap bytes that are already copied, to the same address.
    private static func putEscaped(
        _ text: UnsafeBufferPointer<UInt8>, at room: UnsafeMutablePointer<UInt8>
    ) -> Int {
        guard let start = text.baseAddress else { return 0 }
        let count = text.count
        var index = 0
        var end = 0
        while index < count {
            while index &+ 8 <= count {
                let eight = UnsafeRawPointer(start + index).loadUnaligned(as: UInt64.self)
                if needsEscape(eight) { break }
                UnsafeMutableRawPointer(room + end).storeBytes(of: eight, as: UInt64.self)
                index &+= 8
                end &+= 8
            }
            if index == count { break }
            let overlap = max(index &- (count &- 8), 0)
            if overlap <= index {
                let eight = UnsafeRawPointer(start + (index &- overlap)).loadUnaligned(as: UInt64.self)
                if !needsEscape(eight) {
                    UnsafeMutableRawPointer(room + (end &- overlap)).storeBytes(of: eight, as: UInt64.self)
                    index = index &- overlap &+ 8
                    end = end &- overlap &+ 8
                    continue
                }
            }
            // Fewer than eight bytes, or eight bytes of which one needs an escape.
            let stop = min(index &+ 8, count)
            while index < stop {
                end &+= put(start[index], at: room + end)
                index &+= 1
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

    /// Stores the escape of a byte, 2 or 6 bytes, and returns its size.
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

    /// Whether one of eight bytes is below 0x20, a quote or a backslash. `(x - n) & ~x` has the top bit of a byte set
    /// if one is below n, borrows included. A byte that equals c is below 1 after an exclusive or with c.
    @inline(__always)
    private static func needsEscape(_ eight: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = eight ^ (ones &* 0x22)
        let backslash = eight ^ (ones &* 0x5C)
        let control = (eight &- ones &* 0x20) & ~eight
        return (control | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash) & (ones &* 0x80) != 0
    }

    /// Whether the byte is allowed in a name that is not escaped.
    public static func isPlain(_ byte: UInt8) -> Bool {
        byte < 0x7F && !needsEscape(byte)
    }

    static func upperHexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") - 10 + value
    }
}
