internal import CLinux

/// Classification and comparison of ASCII bytes, as HTTP's grammar needs them (RFC 9110, section 5.6).
enum ASCII {
    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Whether the bytes equal this text.
    static func equal(_ bytes: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount, let start = bytes.baseAddress else {
            return bytes.count == text.utf8CodeUnitCount
        }
        return memcmp(start, text.utf8Start, bytes.count) == 0
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Whether the byte is a tchar: a letter, a digit or one of ``!#$%&'*+-.^_`|~``.
    static func isToken(_ byte: UInt8) -> Bool {
        // A bitmap with one bit for each ASCII byte. A switch would cost several times as much per byte of a head.
        let bits: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 128 && bits >> UInt64(byte & 63) & 1 == 1
    }

    /// Whether a header value may contain the byte: any byte except control characters other than tab.
    static func isFieldValue(_ byte: UInt8) -> Bool { byte == 0x09 || (byte >= 0x20 && byte != 0x7F) }

    /// Whether a header value may contain all of these bytes.
    ///
    /// Examines eight bytes at a time, and single bytes only if one of the eight is a control character.
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

    /// Whether one of eight bytes is below 0x20 or equals 0x7F.
    ///
    /// `(x - n) & ~x` sets the top bit of each byte below n. A byte equal to c is 0 after an exclusive or with c. A
    /// borrow changes only bytes above a match, so the result for all eight is exact.
    private static func hasControl(_ eight: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let delete = eight ^ (ones &* 0x7F)
        return ((eight &- ones &* 0x20) & ~eight | (delete &- ones) & ~delete) & (ones &* 0x80) != 0
    }

    /// The number of tchar bytes at the start.
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
