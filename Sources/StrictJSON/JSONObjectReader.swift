/// The members of an object that is being decoded. A member is known after a method has read it by its name.
///
/// Every method returns nil for an absent member and for an invalid one, which is reported. So a caller can write
/// `reader.integer("timeout_ms", in: 1...60000) ?? 5000`: after a problem, the result is not used.
public struct JSONObjectReader: ~Copyable {
    /// The object itself.
    public let object: JSONObject
    public var problems = JSONProblems()
    private var knownNames: [StaticString] = []
    private var askedMembers: Set<Int> = []
    private var askedEarlyMembers: UInt64 = 0
    /// Tells for most names that no member has them: a Bloom filter of one word, by length and first byte.
    private var names: UInt64 = 0

    public init(_ object: JSONObject) {
        self.object = object
        for member in object.members { names |= Self.bit(member.key.utf8.first ?? 0, member.key.utf8.count) }
        knownNames.reserveCapacity(16)
    }

    /// Decodes a document that must be an object; throws all of its problems.
    ///
    /// If `members` returns nil, it has reported a problem.
    @inlinable
    public static func decode<Decoded>(
        _ document: JSONValue, _ members: (inout JSONObjectReader) -> Decoded?
    ) throws(JSONProblems) -> Decoded {
        var cursor = JSONCursor(document)
        let decoded = cursor.object(members)
        guard let decoded, cursor.problems.isEmpty else {
            if cursor.problems.isEmpty { cursor.report("is invalid") }
            throw cursor.problems
        }
        return decoded
    }

    /// The value of a member, which is known from now on; nil if it is absent.
    public mutating func value(_ name: StaticString) -> JSONValue? {
        let index = find(name)
        return index < 0 ? nil : object.members[index].value
    }

    /// The index of a member, which is known from now on; -1 if it is absent.
    public mutating func find(_ name: StaticString) -> Int {
        knownNames.append(name)
        guard let index = index(of: name) else { return -1 }
        if index < UInt64.bitWidth {
            askedEarlyMembers |= 1 << UInt64(index)
        } else {
            askedMembers.insert(index)
        }
        return index
    }

    /// Reports a problem with the object itself, such as two members that exclude each other.
    public mutating func report(_ detail: @autoclosure () -> String) {
        problems.append(JSONProblem(pointer: "", detail: detail()))
    }

    /// Reports a problem with a member.
    public mutating func report(_ name: String, _ detail: @autoclosure () -> String) {
        problems.append(JSONProblem(pointer: JSONPointerToken.member(name).escaped, detail: detail()))
    }

    /// Reports a problem with a nested value, by the names and indexes of its path.
    public mutating func report(at path: [String], _ detail: @autoclosure () -> String) {
        let pointer = path.map { JSONPointerToken.member($0).escaped }.joined()
        problems.append(JSONProblem(pointer: pointer, detail: detail()))
    }

    /// Reports the member if it is absent; call it before the method that reads the member.
    public mutating func require(_ name: StaticString) {
        if index(of: name) == nil { report("\(name)", "is required") }
    }

    /// Whether the object has a member of the first name, and no others but one of the second name. It reads neither.
    public func hasOnly(_ required: StaticString, and optional: StaticString) -> Bool {
        guard index(of: required) != nil else { return false }
        return object.members.count == (index(of: optional) == nil ? 1 : 2)
    }

    /// Reports every unread member as unknown, and returns all problems of the object.
    public consuming func finish() -> JSONProblems {
        guard askedEarlyMembers.nonzeroBitCount + askedMembers.count < object.members.count else { return problems }
        let names = knownMemberNames.joined(separator: ", ")
        let detail = "unknown member; " + (names.isEmpty ? "this object takes none" : "known here: \(names)")
        for (index, member) in object.members.enumerated() where !isAsked(index) {
            problems.append(
                JSONProblem(pointer: JSONPointerToken.member(member.key).escaped, detail: detail))
        }
        return problems
    }

    /// The names of the members that were read so far, present or absent, each once.
    public var knownMemberNames: [String] {
        var seen: Set<String> = []
        return knownNames.map { "\($0)" }.filter { seen.insert($0).inserted }
    }

    private func index(of name: StaticString) -> Int? {
        names & Self.bit(name.utf8Start.pointee, name.utf8CodeUnitCount) == 0 ? nil : object.index(of: name)
    }

    private static func bit(_ first: UInt8, _ count: Int) -> UInt64 {
        1 << UInt64(truncatingIfNeeded: (Int(first) &* 7 &+ count) & 63)
    }

    private func isAsked(_ index: Int) -> Bool {
        index < UInt64.bitWidth ? askedEarlyMembers >> UInt64(index) & 1 == 1 : askedMembers.contains(index)
    }
}

/// The methods of `JSONCursor` for a member by its name; an absent member is nil and not a problem.
extension JSONObjectReader {
    /// A member of several types, or one that is parsed further: the cursor's `report` points to the member.
    @inlinable @inline(__always)
    public mutating func member<Decoded>(
        _ name: StaticString, _ decode: (inout JSONCursor) -> Decoded?
    ) -> Decoded? {
        // Most members are absent from most objects. This check needs no generic code.
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

    /// A string of at most `maximumLength` characters; U+0000 is accepted.
    public mutating func string(_ name: StaticString, maximumLength: Int = .max) -> String? {
        member(name) { $0.string(maximumLength: maximumLength) }
    }

    /// An integer in the range, in the unit at the end of the name; `5000.5` and `"5000"` are not integers.
    public mutating func integer(_ name: StaticString, in range: ClosedRange<Int>) -> Int? {
        member(name) { $0.integer(in: range) }
    }

    /// true or false.
    public mutating func bool(_ name: StaticString) -> Bool? {
        member(name) { $0.bool() }
    }

    /// A case of an enumeration.
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

    /// An array with a limited number of elements, each decoded by `element`.
    @inlinable @inline(__always)
    public mutating func array<Element>(
        _ name: StaticString, count: ClosedRange<Int> = 0...Int.max, _ element: (inout JSONCursor) -> Element?
    ) -> [Element]? {
        member(name) { $0.array(count: count, element) }
    }

    /// An object, decoded by `members`; its unknown members are reported.
    @inlinable @inline(__always)
    public mutating func object<Decoded>(
        _ name: StaticString, _ members: (inout JSONObjectReader) -> Decoded?
    ) -> Decoded? {
        member(name) { $0.object(members) }
    }
}

extension String {
    /// Whether both are the same UTF-8 bytes, as RFC 8259 section 8.3 compares names.
    ///
    /// `==` differs: it holds for U+212A KELVIN SIGN and `K`.
    func hasSameBytes(as other: String) -> Bool {
        // Most names differ in size, and comparing sizes is much cheaper than creating a span.
        guard utf8.count == other.utf8.count else { return false }
        let left = utf8.span
        let right = other.utf8.span
        for index in left.indices where left[index] != right[index] {
            return false
        }
        return true
    }

    /// Whether the text has the same bytes as a name of the program.
    func hasSameBytes(as other: StaticString) -> Bool {
        let count = other.utf8CodeUnitCount
        guard utf8.count == count else { return false }
        let bytes = utf8.span
        for index in 0..<count where bytes[index] != other.utf8Start[index] { return false }
        return true
    }
}

/// A member name that is hashed and compared by its bytes, for the set of names of a large object.
struct ExactName: Hashable {
    let name: String

    static func == (left: ExactName, right: ExactName) -> Bool {
        left.name.hasSameBytes(as: right.name)
    }

    func hash(into hasher: inout Hasher) {
        let isHashed: Void? = name.utf8.withContiguousStorageIfAvailable { bytes in
            hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if isHashed == nil {
            for byte in name.utf8 { hasher.combine(byte) }
        }
    }
}
