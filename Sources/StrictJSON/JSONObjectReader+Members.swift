/// The methods of `JSONCursor` for a member by its name; an absent member is nil and no problem.
extension JSONObjectReader {
    /// A member of more than one type, or one that is parsed further: `report` of the cursor points to the member.
    @inlinable @inline(__always)
    public mutating func member<Decoded>(
        _ name: StaticString, _ decode: (inout JSONCursor) -> Decoded?
    ) -> Decoded? {
        // Most members are absent from most objects: that is seen without anything generic.
        let index = find(name)
        return index < 0 ? nil : decodeMember(at: index, named: name, decode)
    }

    @inlinable
    public mutating func decodeMember<Decoded>(
        at index: Int, named name: StaticString, _ decode: (inout JSONCursor) -> Decoded?
    ) -> Decoded? {
        var cursor = JSONCursor(object.members[index].value)
        let decoded = decode(&cursor)
        problems.append(cursor.problems, under: .member("\(name)"))
        return decoded
    }

    /// A string of at most `maximumLength` characters; U+0000 is not refused here.
    public mutating func string(_ name: StaticString, maximumLength: Int = .max) -> String? {
        member(name) { $0.string(maximumLength: maximumLength) }
    }

    /// An integer in the range, in the unit that the name ends in; `5000.5` and `"5000"` are none.
    public mutating func integer(_ name: StaticString, in range: ClosedRange<Int>) -> Int? {
        member(name) { $0.integer(in: range) }
    }

    /// true or false.
    public mutating func bool(_ name: StaticString) -> Bool? {
        member(name) { $0.bool() }
    }

    /// One of the words of an enumeration.
    @inlinable @inline(__always)
    public mutating func enumeration<Word>(_ name: StaticString, _ type: Word.Type) -> Word?
    where Word: RawRepresentable<String> & CaseIterable {
        member(name) { $0.enumeration(type) }
    }

    /// An object whose values are all strings, in its order.
    public mutating func stringMap(
        _ name: StaticString, maximumMembers: Int = .max, maximumLength: Int = .max
    ) -> [(key: String, value: String)]? {
        member(name) { $0.stringMap(maximumMembers: maximumMembers, maximumLength: maximumLength) }
    }

    /// An array of so many elements, each decoded by `element`.
    @inlinable @inline(__always)
    public mutating func array<Element>(
        _ name: StaticString, count: ClosedRange<Int> = 0...Int.max, _ element: (inout JSONCursor) -> Element?
    ) -> [Element]? {
        member(name) { $0.array(count: count, element) }
    }

    /// An object, decoded by `members`; unknown ones among them are noted.
    @inlinable @inline(__always)
    public mutating func object<Decoded>(
        _ name: StaticString, _ members: (inout JSONObjectReader) -> Decoded?
    ) -> Decoded? {
        member(name) { $0.object(members) }
    }
}
