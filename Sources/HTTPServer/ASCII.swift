internal import CLinux

/// The few rules about bytes that HTTP's grammar needs (RFC 9110, section 5.6).
enum ASCII {
    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Whether the bytes are exactly this text.
    static func equal(_ bytes: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount, let start = bytes.baseAddress else {
            return bytes.count == text.utf8CodeUnitCount
        }
        return memcmp(start, text.utf8Start, bytes.count) == 0
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// tchar: letters, digits and ``!#$%&'*+-.^_`|~``.
    static func isToken(_ byte: UInt8) -> Bool {
        // A bit for each byte of ASCII, from the lowest: a switch costs several times as much, for each byte of a head.
        let bits: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 128 && bits >> UInt64(byte & 63) & 1 == 1
    }

    /// What a header's value may hold: no control byte but the tab.
    static func isFieldValue(_ byte: UInt8) -> Bool { byte == 0x09 || (byte >= 0x20 && byte != 0x7F) }

    /// Whether a header's value may hold all of these bytes.
    ///
    /// Looks at eight bytes at once, and at each of them only where one is a control byte: heads are judged with every request.
    static func areFieldValue(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        var index = 0
        while index &+ 8 <= bytes.count {
            let eight = UnsafeRawPointer(start + index).loadUnaligned(as: UInt64.self)
            if hasControl(eight), !bytes[index..<index &+ 8].allSatisfy(isFieldValue) { return false }
            index &+= 8
        }
        while index < bytes.count {
            guard isFieldValue(bytes[index]) else { return false }
            index &+= 1
        }
        return true
    }

    /// Whether one of eight bytes is below 0x20 or equals 0x7F: `(x - n) & ~x` has the top bit of a byte set where one is below
    /// n, borrows included, and a byte that equals c is below 1 after an exclusive or with c.
    private static func hasControl(_ eight: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let delete = eight ^ (ones &* 0x7F)
        return ((eight &- ones &* 0x20) & ~eight | (delete &- ones) & ~delete) & (ones &* 0x80) != 0
    }

    /// How many bytes at the start are tchar.
    static func tokenLength(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var index = 0
        while index < bytes.count, isToken(bytes[index]) { index &+= 1 }
        return index
    }

    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
