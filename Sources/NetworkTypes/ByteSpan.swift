extension Span<UInt8> {
    /// Returns the offset of the first `byte` at or after `start`; nil if there is none.
    func firstOffset(of byte: UInt8, from start: Int = 0) -> Int? {
        var offset = start
        while offset < count {
            if self[offset] == byte { return offset }
            offset += 1
        }
        return nil
    }

    /// Whether the bytes at `offset` begin with `literal`.
    func hasLiteral(_ literal: StaticString, at offset: Int) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard offset + length <= count else { return false }
        for index in 0..<length where self[offset + index] != literal.utf8Start[index] { return false }
        return true
    }

    /// Returns the bytes as text; invalid UTF-8 becomes U+FFFD.
    func decoded() -> String {
        withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
}

extension UInt8 {
    public static let dot = UInt8(ascii: ".")
    static let colon = UInt8(ascii: ":")
    public static let slash = UInt8(ascii: "/")
    static let percent = UInt8(ascii: "%")
    public static let atSign = UInt8(ascii: "@")

    /// 0 … 9; nil for a byte that is not a decimal digit.
    public var decimalDigit: UInt8? {
        let digit = self &- UInt8(ascii: "0")
        return digit <= 9 ? digit : nil
    }

    /// 0 … 15; nil for a byte that is not a hexadecimal digit.
    var hexadecimalDigit: UInt8? {
        if let decimalDigit { return decimalDigit }
        let letter = (self | 0x20) &- UInt8(ascii: "a")
        return letter <= 5 ? letter + 10 : nil
    }

    public var isASCIILetter: Bool {
        (self | 0x20) &- UInt8(ascii: "a") <= 25
    }

    var isASCIIControl: Bool {
        self < 0x20 || self == 0x7F
    }

    /// The byte in lowercase if it is an ASCII letter, unchanged otherwise.
    public var lowercasedASCII: UInt8 {
        self &- UInt8(ascii: "A") <= 25 ? self | 0x20 : self
    }
}
