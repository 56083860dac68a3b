extension JSONParser {
    /// A number that starts at `position` (RFC 8259 section 6).
    mutating func number(_ bytes: Span<UInt8>) throws(JSONFailure) -> JSONValue {
        let start = position
        let isNegative = bytes[start] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let magnitude = try integerPart(bytes)
        let hasFraction = try fraction(bytes)
        let hasExponent = try exponent(bytes)
        if !hasFraction, !hasExponent, let magnitude, let integer = Self.integer(isNegative, magnitude) {
            return .integer(integer)
        }
        let text = bytes.extracting(start..<position)
            .withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        guard let number = Double(text), number.isFinite else {
            throw JSONFailure(offset: start, detail: "the number is beyond the range of a double")
        }
        return .number(number)
    }

    private static func integer(_ isNegative: Bool, _ magnitude: UInt64) -> Int64? {
        guard isNegative else { return Int64(exactly: magnitude) }
        return magnitude == Int64.min.magnitude ? Int64.min : Int64(exactly: magnitude).map { -$0 }
    }

    /// The digits before the point; nil where they exceed 64 bits.
    private mutating func integerPart(_ bytes: Span<UInt8>) throws(JSONFailure) -> UInt64? {
        guard let first = digit(bytes) else { throw unexpected(bytes, "a digit") }
        var magnitude = UInt64(first)
        var overflows = false
        position += 1
        while let next = digit(bytes) {
            if first == 0 { throw failure("a number must not have leading zeros") }
            let (product, productOverflows) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, sumOverflows) = product.addingReportingOverflow(UInt64(next))
            overflows = overflows || productOverflows || sumOverflows
            magnitude = sum
            position += 1
        }
        return overflows ? nil : magnitude
    }

    private mutating func fraction(_ bytes: Span<UInt8>) throws(JSONFailure) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { return false }
        position += 1
        try digits(bytes, "a digit after the decimal point")
        return true
    }

    private mutating func exponent(_ bytes: Span<UInt8>) throws(JSONFailure) -> Bool {
        guard position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") else { return false }
        position += 1
        if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
            position += 1
        }
        try digits(bytes, "a digit in the exponent")
        return true
    }

    private mutating func digits(_ bytes: Span<UInt8>, _ expected: String) throws(JSONFailure) {
        guard digit(bytes) != nil else { throw unexpected(bytes, expected) }
        while digit(bytes) != nil { position += 1 }
    }

    private func digit(_ bytes: Span<UInt8>) -> UInt8? {
        guard position < bytes.count else { return nil }
        let value = bytes[position] &- UInt8(ascii: "0")
        return value < 10 ? value : nil
    }
}
