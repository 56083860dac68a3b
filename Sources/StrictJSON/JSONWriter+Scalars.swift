extension JSONWriter {
    public mutating func null() {
        expectValue()
        bytes.append("null,")
    }

    public mutating func bool(_ flag: Bool) {
        expectValue()
        if flag { bytes.append("true,") } else { bytes.append("false,") }
    }

    public mutating func integer(_ number: Int64) {
        expectValue()
        bytes.append(atMost: 21) { room in
            room[0] = UInt8(ascii: "-")
            let sign = number < 0 ? 1 : 0
            let count = sign + Self.putDigits(number.magnitude, at: room + sign)
            room[count] = UInt8(ascii: ",")
            return count + 1
        }
    }

    public mutating func integer(_ number: Int) {
        integer(Int64(number))
    }

    /// An integer, or null.
    public mutating func integer(_ number: Int?) {
        if let number { integer(Int64(number)) } else { null() }
    }

    /// The shortest text that reads back as the same double; null for values that JSON cannot express.
    public mutating func number(_ number: Double) {
        guard number.isFinite else { return null() }
        expectValue()
        var text = number.description
        text.withUTF8 { bytes.append($0) }
        bytes.append(UInt8(ascii: ","))
    }

    /// A duration in nanoseconds as decimal milliseconds, rounded to a microsecond: 300,000 is `0.3`.
    public mutating func milliseconds(nanoseconds: Int64) {
        expectValue()
        if nanoseconds == 0 { return bytes.append("0,") }
        let magnitude = nanoseconds.magnitude
        let microseconds = magnitude / 1000 + (magnitude % 1000 >= 500 ? 1 : 0)
        bytes.append(atMost: 24) { room in
            room[0] = UInt8(ascii: "-")
            var count = nanoseconds < 0 && microseconds > 0 ? 1 : 0
            count += Self.putDigits(microseconds / 1000, at: room + count)
            count += Self.putFraction(thousandths: microseconds % 1000, at: room + count)
            room[count] = UInt8(ascii: ",")
            return count + 1
        }
    }

    /// A complete value.
    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .integer(let number): integer(number)
        case .number(let number): self.number(number)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let object):
            beginObject()
            for item in object.members {
                member(escaping: item.key)
                self.value(item.value)
            }
            endObject()
        }
    }

    /// Stores 1 to 20 digits and returns their number.
    private static func putDigits(_ number: UInt64, at room: UnsafeMutablePointer<UInt8>) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while number >= bound, count < 20 {
            count += 1
            // 10^20 exceeds 64 bits; the count ends the loop there.
            bound = bound &* 10
        }
        var rest = number
        var index = count
        while index > 0 {
            index -= 1
            room[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return count
    }

    /// Stores nothing, or a point and 1 to 3 digits, and returns the number of bytes.
    private static func putFraction(thousandths: UInt64, at room: UnsafeMutablePointer<UInt8>) -> Int {
        if thousandths == 0 { return 0 }
        room[0] = UInt8(ascii: ".")
        var rest = thousandths
        var unit: UInt64 = 100
        var count = 1
        while rest > 0 {
            room[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit)
            rest %= unit
            unit /= 10
            count += 1
        }
        return count
    }
}

extension JSONWriter {
    /// Bytes from the network as a readable and reversible string.
    ///
    /// Printable ASCII is unchanged, except the backslash, which is doubled. CR, LF and TAB are `\r`, `\n`, `\t`; any
    /// other byte is `\xNN` with uppercase digits. The text has at most `limit` bytes; the rest is omitted, and an
    /// escape is never cut.
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

    /// The size of the text for the byte, before JSON escapes it.
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
