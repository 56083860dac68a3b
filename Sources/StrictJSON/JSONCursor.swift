/// One value that is being decoded: each method demands a type, returns nil where the value is not of it, and notes why.
///
/// Decoding goes on after a problem, so that a caller learns all of them at once. null is never absence.
public struct JSONCursor: ~Copyable {
    /// The value itself, for a caller that takes more than one type.
    public let value: JSONValue
    /// What was found so far, with pointers that start at this value.
    public var problems = JSONProblems()

    public init(_ value: JSONValue) {
        self.value = value
    }

    /// Notes a problem with the value itself.
    public mutating func report(_ detail: @autoclosure () -> String) {
        problems.append(JSONProblem(pointer: "", detail: detail()))
    }

    /// Notes that the value is not what had to be there; `expected` is a noun such as "a string or an object".
    public mutating func reportMismatch(expected: @autoclosure () -> String) {
        let advice =
            switch value {
            case .null: "; leave it out instead"
            case .bool, .integer, .number, .string, .array, .object: ""
            }
        let kind = value.kindDescription
        report("must be \(expected()), not \(kind)\(advice)")
    }

    /// A string of at most `maximumLength` characters, counted as JSON Schema's maxLength counts them (RFC 8259: code
    /// points); U+0000 is not refused here.
    public mutating func string(maximumLength: Int = .max) -> String? {
        guard case .string(let text) = value else {
            reportMismatch(expected: "a string")
            return nil
        }
        // Text with no more bytes than that has no more characters either: most is never counted.
        guard text.utf8.count <= maximumLength || text.unicodeScalars.count <= maximumLength else {
            report("must have at most \(maximumLength) characters, not \(text.unicodeScalars.count)")
            return nil
        }
        return text
    }

    /// An integer in the range, as JSON Schema has it: `5000.0` and `5e3` are one, `5000.5` and `"5000"` are none.
    public mutating func integer(in range: ClosedRange<Int>) -> Int? {
        guard let number = value.wholeNumber else {
            reportMismatch(expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        guard let number = Int(exactly: number), range.contains(number) else {
            report("must be from \(range.lowerBound) to \(range.upperBound), not \(number)")
            return nil
        }
        return number
    }

    /// true or false.
    public mutating func bool() -> Bool? {
        guard case .bool(let flag) = value else {
            reportMismatch(expected: "true or false")
            return nil
        }
        return flag
    }

    /// One of the words of an enumeration, compared byte by byte.
    @inlinable
    public mutating func enumeration<Word>(_ type: Word.Type) -> Word?
    where Word: RawRepresentable<String> & CaseIterable {
        guard let text = string() else { return nil }
        for word in Word.allCases where word.rawValue.utf8.elementsEqual(text.utf8) {
            return word
        }
        report("must be one of: \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }
}
