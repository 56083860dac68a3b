extension JSONCursor {
    /// An object whose values are all strings, in its order; nil if any is not.
    public mutating func stringMap(
        maximumMembers: Int = .max, maximumLength: Int = .max
    ) -> [(key: String, value: String)]? {
        guard case .object(let object) = value else {
            reportMismatch(expected: "an object of strings")
            return nil
        }
        guard object.members.count <= maximumMembers else {
            report("must have at most \(maximumMembers) members, not \(object.members.count)")
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

    /// An array of so many elements, each decoded by `element`; nil if any is not.
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
            report("must have at least \(expected.lowerBound) \(elements), not \(found)")
        } else {
            report("must have from \(expected.lowerBound) to \(expected.upperBound) \(elements), not \(found)")
        }
    }

    /// An object, decoded by `members`, after which every member that nobody asked for is noted as unknown.
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
