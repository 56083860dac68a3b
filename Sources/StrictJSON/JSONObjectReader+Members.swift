/// The methods of `JSONCursor` for a member by its name; an absent member is nil and no problem.
extension JSONObjectReader {
    /// A member of more than one type, or one that is parsed further: `report` of the cursor points to the member.
    @inlinable
    package mutating func member<Decoded>(_ name: String, _ decode: (inout JSONCursor) -> Decoded?) -> Decoded? {
        guard let value = value(name) else { return nil }
        var cursor = JSONCursor(value)
        let decoded = decode(&cursor)
        problems.append(cursor.problems, under: .member(name))
        return decoded
    }

    /// A string of at most `maximumLength` characters; U+0000 is not refused here.
    package mutating func string(_ name: String, maximumLength: Int = .max) -> String? {
        member(name) { $0.string(maximumLength: maximumLength) }
    }

    /// An integer in the range, in the unit that the name ends in; `5000.5` and `"5000"` are none.
    package mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        member(name) { $0.integer(in: range) }
    }

    /// true or false.
    package mutating func bool(_ name: String) -> Bool? {
        member(name) { $0.bool() }
    }

    /// One of the words of an enumeration.
    @inlinable
    package mutating func enumeration<Word>(_ name: String, _ type: Word.Type) -> Word?
    where Word: RawRepresentable<String> & CaseIterable {
        member(name) { $0.enumeration(type) }
    }

    /// An object whose values are all strings, in its order.
    package mutating func stringMap(
        _ name: String, maximumMembers: Int = .max, maximumLength: Int = .max
    ) -> [(key: String, value: String)]? {
        member(name) { $0.stringMap(maximumMembers: maximumMembers, maximumLength: maximumLength) }
    }

    /// An array of so many elements, each decoded by `element`.
    @inlinable
    package mutating func array<Element>(
        _ name: String, count: ClosedRange<Int> = 0...Int.max, _ element: (inout JSONCursor) -> Element?
    ) -> [Element]? {
        member(name) { $0.array(count: count, element) }
    }

    /// An object, decoded by `members`; unknown ones among them are noted.
    @inlinable
    package mutating func object<Decoded>(
        _ name: String, _ members: (inout JSONObjectReader) -> Decoded?
    ) -> Decoded? {
        member(name) { $0.object(members) }
    }
}
