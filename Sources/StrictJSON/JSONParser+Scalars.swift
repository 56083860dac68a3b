extension JSONParser {
    /// A string whose opening quote is at `position` (RFC 8259 section 7).
    mutating func string(_ bytes: Span<UInt8>) throws(JSONFailure) -> String {
        position += 1
        let start = position
        try skipPlainText(bytes)
        if bytes[position] == UInt8(ascii: "\"") {
            defer { position += 1 }
            return bytes.extracting(start..<position)
                .withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        }
        return try escapedString(bytes, from: start)
    }

    /// The same without its text.
    mutating func skipString(_ bytes: Span<UInt8>) throws(JSONFailure) {
        position += 1
        try skipPlainText(bytes)
        while bytes[position] == UInt8(ascii: "\\") {
            scratch.removeAll(keepingCapacity: true)
            try escape(bytes)
            try skipPlainText(bytes)
        }
        position += 1
    }

    /// The rest of a string. The text from `start` to the backslash at `position` is valid.
    private mutating func escapedString(_ bytes: Span<UInt8>, from start: Int) throws(JSONFailure) -> String {
        scratch.removeAll(keepingCapacity: true)
        var plain = start
        while true {
            bytes.extracting(plain..<position).withUnsafeBufferPointer { scratch.append(contentsOf: $0) }
            if bytes[position] == UInt8(ascii: "\"") { break }
            try escape(bytes)
            plain = position
            try skipPlainText(bytes)
        }
        position += 1
        return String(decoding: scratch, as: UTF8.self)
    }

    /// Moves to the next quote or backslash; everything before it is valid UTF-8 without control characters.
    private mutating func skipPlainText(_ bytes: Span<UInt8>) throws(JSONFailure) {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            if byte < 0x20 { throw failure("a control character in a string must be escaped") }
            position += byte < 0x80 ? 1 : try multibyteCount(bytes)
        }
        throw failure("the string is not closed")
    }

    /// The size of the sequence at `position`, by table 3-7 of the Unicode standard.
    private func multibyteCount(_ bytes: Span<UInt8>) throws(JSONFailure) -> Int {
        let (count, second): (Int, ClosedRange<UInt8>)
        switch bytes[position] {
        case 0xC2...0xDF: (count, second) = (2, 0x80...0xBF)
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (count, second) = (3, 0x80...0xBF)
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (count, second) = (4, 0x80...0xBF)
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        case _: throw failure("invalid UTF-8: \(found(bytes)) cannot start a character")
        }
        guard count <= bytes.count - position, second.contains(bytes[position + 1]) else {
            throw failure("invalid UTF-8: the sequence is truncated, overlong or not a character")
        }
        for index in 2..<max(count, 2) where !(0x80...0xBF).contains(bytes[position + index]) {
            throw failure("invalid UTF-8: the sequence is truncated, overlong or not a character")
        }
        return count
    }

    /// Decodes the escape at `position` into `scratch`.
    private mutating func escape(_ bytes: Span<UInt8>) throws(JSONFailure) {
        guard position + 1 < bytes.count else { throw failure("the string is not closed") }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""): scratch.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): scratch.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): scratch.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0C)
        case UInt8(ascii: "n"): scratch.append(0x0A)
        case UInt8(ascii: "r"): scratch.append(0x0D)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"): return try unicodeEscape(bytes)
        case _: throw failure("a backslash must start one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u")
        }
        position += 2
    }

    private mutating func unicodeEscape(_ bytes: Span<UInt8>) throws(JSONFailure) {
        var value = try codeUnit(bytes, at: position)
        var count = 6
        if (0xD800...0xDBFF).contains(value) {
            let low = position + 6
            guard low + 1 < bytes.count, bytes[low] == UInt8(ascii: "\\"), bytes[low + 1] == UInt8(ascii: "u") else {
                throw failure("a high surrogate must be followed by the escape of a low one")
            }
            let lowValue = try codeUnit(bytes, at: low)
            guard (0xDC00...0xDFFF).contains(lowValue) else {
                throw failure("a high surrogate must be followed by the escape of a low one")
            }
            value = 0x10000 + (value - 0xD800) << 10 + (lowValue - 0xDC00)
            count = 12
        }
        guard let scalar = Unicode.Scalar(value) else {
            throw failure("a low surrogate must follow the escape of a high one")
        }
        scratch.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        position += count
    }

    /// The value of the four digits after the `\u` at `offset`.
    private func codeUnit(_ bytes: Span<UInt8>, at offset: Int) throws(JSONFailure) -> UInt32 {
        var value: UInt32 = 0
        for index in offset + 2..<offset + 6 {
            guard index < bytes.count, let digit = Self.hexDigit(bytes[index]) else {
                throw JSONFailure(offset: offset, detail: "\\u must be followed by four hexadecimal digits")
            }
            value = value << 4 | digit
        }
        return value
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        case _: nil
        }
    }
}

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
            throw JSONFailure(offset: start, detail: "the number is beyond the range of a double", kind: .limit)
        }
        return .number(number)
    }

    /// The same without its value, which may be beyond the range of a double.
    mutating func skipNumber(_ bytes: Span<UInt8>) throws(JSONFailure) {
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        _ = try integerPart(bytes)
        _ = try fraction(bytes)
        _ = try exponent(bytes)
    }

    private static func integer(_ isNegative: Bool, _ magnitude: UInt64) -> Int64? {
        guard isNegative else { return Int64(exactly: magnitude) }
        return magnitude == Int64.min.magnitude ? Int64.min : Int64(exactly: magnitude).map { -$0 }
    }

    /// The digits before the point; nil if they exceed 64 bits.
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
