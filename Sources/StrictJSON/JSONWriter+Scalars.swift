extension JSONWriter {
    package mutating func null() {
        beginValue()
        bytes.append("null")
    }

    package mutating func bool(_ flag: Bool) {
        beginValue()
        if flag { bytes.append("true") } else { bytes.append("false") }
    }

    package mutating func integer(_ number: Int64) {
        beginValue()
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        appendDigits(number.magnitude)
    }

    package mutating func integer(_ number: Int) {
        integer(Int64(number))
    }

    /// An integer, or null where there is none.
    package mutating func integer(_ number: Int?) {
        if let number { integer(Int64(number)) } else { null() }
    }

    /// The shortest text that reads back as the same double; null for what JSON has no number for.
    package mutating func number(_ number: Double) {
        guard number.isFinite else { return null() }
        beginValue()
        var text = number.description
        text.withUTF8 { bytes.append($0) }
    }

    /// A duration in nanoseconds as decimal milliseconds, rounded to a microsecond: 300,000 is `0.3`.
    package mutating func milliseconds(nanoseconds: Int64) {
        beginValue()
        let magnitude = nanoseconds.magnitude
        let microseconds = magnitude / 1000 + (magnitude % 1000 >= 500 ? 1 : 0)
        if nanoseconds < 0, microseconds > 0 { bytes.append(UInt8(ascii: "-")) }
        appendDigits(microseconds / 1000)
        appendFraction(thousandths: microseconds % 1000)
    }

    /// A value that was read, or made by hand, with everything in it.
    package mutating func value(_ value: JSONValue) {
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

    private mutating func appendFraction(thousandths: UInt64) {
        if thousandths == 0 { return }
        bytes.append(UInt8(ascii: "."))
        var rest = thousandths
        var unit: UInt64 = 100
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    private mutating func appendDigits(_ number: UInt64) {
        if number < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number)) }
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = number
        while rest > 0 {
            first -= 1
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        digits.span.extracting(first..<20).withUnsafeBufferPointer { bytes.append($0) }
    }
}
