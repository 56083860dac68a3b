extension Span<UInt8> {
    /// The offset of the first `byte` at or behind `start`, or nil.
    func firstOffset(of byte: UInt8, from start: Int = 0) -> Int? {
        var offset = start
        while offset < count {
            if self[offset] == byte { return offset }
            offset += 1
        }
        return nil
    }

    /// Whether the bytes from `offset` on begin with `literal`.
    func hasLiteral(_ literal: StaticString, at offset: Int) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard offset + length <= count else { return false }
        for index in 0..<length where self[offset + index] != literal.utf8Start[index] { return false }
        return true
    }

    /// The bytes as text; those that are no UTF-8 show as U+FFFD.
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

    /// 0 … 9, or nil for a byte that is no decimal digit.
    public var decimalDigit: UInt8? {
        let digit = self &- UInt8(ascii: "0")
        return digit <= 9 ? digit : nil
    }

    /// 0 … 15, or nil for a byte that is no hexadecimal digit.
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

    /// Capital ASCII letters made small, all else as it is.
    public var lowercasedASCII: UInt8 {
        self &- UInt8(ascii: "A") <= 25 ? self | 0x20 : self
    }
}
