/// A value that is being decoded. Each method requires a type; it returns nil and reports a problem for another type.
///
/// Decoding continues after a problem, so that a caller learns all of them at once. null does not mean absent.
public struct JSONCursor: ~Copyable {
    /// The value, for a caller that accepts several types.
    public let value: JSONValue
    /// The problems so far, with pointers that start at this value.
    public var problems = JSONProblems()

    public init(_ value: JSONValue) {
        self.value = value
    }

    /// Reports a problem with the value itself.
    public mutating func report(_ detail: @autoclosure () -> String) {
        problems.append(JSONProblem(pointer: "", detail: detail()))
    }

    /// Reports a value of the wrong type; `expected` is a noun such as "a string or an object".
    public mutating func reportMismatch(expected: @autoclosure () -> String) {
        let advice =
            switch value {
            case .null: "; leave it out instead"
            case .bool, .integer, .number, .string, .array, .object: ""
            }
        let kind = value.kindDescription
        report("must be \(expected()), got \(kind)\(advice)")
    }

    /// A string of at most `maximumLength` code points, as JSON Schema's maxLength counts them. U+0000 is accepted.
    public mutating func string(maximumLength: Int = .max) -> String? {
        guard case .string(let text) = value else {
            reportMismatch(expected: "a string")
            return nil
        }
        // A text with no more bytes than the limit needs no count.
        guard text.utf8.count <= maximumLength || text.unicodeScalars.count <= maximumLength else {
            report("must have at most \(maximumLength) characters, got \(text.unicodeScalars.count)")
            return nil
        }
        return text
    }

    /// An integer in the range, by JSON Schema's rules: `5000.0` and `5e3` are integers, `5000.5` and `"5000"` are not.
    public mutating func integer(in range: ClosedRange<Int>) -> Int? {
        guard let number = value.wholeNumber else {
            reportMismatch(expected: "an integer from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        guard let number = Int(exactly: number), range.contains(number) else {
            report("must be from \(range.lowerBound) to \(range.upperBound), got \(number)")
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

    /// A case of an enumeration, compared by bytes.
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

extension JSONCursor {
    /// An object whose values are all strings, in its order; nil if one is not.
    public mutating func stringMap(
        maximumMembers: Int = .max, maximumLength: Int = .max
    ) -> [(key: String, value: String)]? {
        guard case .object(let object) = value else {
            reportMismatch(expected: "an object of strings")
            return nil
        }
        guard object.members.count <= maximumMembers else {
            report("must have at most \(maximumMembers) members, got \(object.members.count)")
            return nil
        }
        var map: [(key: String, value: String)] = []
        map.reserveCapacity(object.members.count)
        for member in object.members {
            var cursor = JSONCursor(member.value)
            if let text = cursor.string(maximumLength: maximumLength) { map.append((member.key, text)) }
            problems.append(cursor.problems, under: .member(member.key))
        }
        return map.count == object.members.count ? map : nil
    }

    /// An array with a limited number of elements, each decoded by `element`; nil if one is invalid.
    @inlinable
    public mutating func array<Element>(
        count: ClosedRange<Int> = 0...Int.max, _ element: (inout JSONCursor) -> Element?
    ) -> [Element]? {
        guard case .array(let values) = value else {
            reportMismatch(expected: "an array")
            return nil
        }
        guard count.contains(values.count) else {
            reportCount(values.count, expected: count)
            return nil
        }
        var elements: [Element] = []
        elements.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            var cursor = JSONCursor(value)
            if let decoded = element(&cursor) { elements.append(decoded) }
            problems.append(cursor.problems, under: .element(index))
        }
        return elements.count == values.count ? elements : nil
    }

    public mutating func reportCount(_ found: Int, expected: ClosedRange<Int>) {
        let elements = expected.upperBound == 1 ? "element" : "elements"
        if expected.upperBound == .max {
            report("must have at least \(expected.lowerBound) \(elements), got \(found)")
        } else {
            report("must have from \(expected.lowerBound) to \(expected.upperBound) \(elements), got \(found)")
        }
    }

    /// An object, decoded by `members`. Members that it does not read are reported as unknown.
    @inlinable
    public mutating func object<Decoded>(_ members: (inout JSONObjectReader) -> Decoded?) -> Decoded? {
        guard case .object(let object) = value else {
            reportMismatch(expected: "an object")
            return nil
        }
        var reader = JSONObjectReader(object)
        let decoded = members(&reader)
        let found = reader.finish()
        guard found.isEmpty else {
            problems.appendAll(found)
            return nil
        }
        return decoded
    }
}
