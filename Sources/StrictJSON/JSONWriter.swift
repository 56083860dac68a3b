/// Writes a JSON document as bytes, with all commas.
///
/// Begin and end, member and value must pair: a debug build traps if they do not, and `finish` always traps if a
/// container is open. Each value is followed by its comma; a closing bracket replaces the last comma.
public struct JSONWriter: ~Copyable {
    public var bytes: ByteBuffer
    public var depth = 0
    /// A bit for each container, the innermost lowest: 1 is an object. Exact for the innermost 64.
    public var objects: UInt64 = 0

    /// Creates a writer with room for `reserving` bytes before the next allocation.
    public init(reserving size: Int = 1024) {
        bytes = ByteBuffer(capacity: size)
    }

    /// The complete document.
    public consuming func finish() -> [UInt8] {
        precondition(depth == 0 && bytes.last == UInt8(ascii: ","), "a JSON document is one complete value")
        bytes.removeLast()
        return bytes.array()
    }

    /// The complete document, followed by LF.
    public consuming func finishLine() -> [UInt8] {
        precondition(depth == 0 && bytes.last == UInt8(ascii: ","), "a JSON document is one complete value")
        bytes.removeLast()
        bytes.append(UInt8(ascii: "\n"))
        return bytes.array()
    }

    public mutating func beginObject() {
        begin(UInt8(ascii: "{"), isObject: true)
    }

    public mutating func endObject() {
        end(UInt8(ascii: "}"), isObject: true)
    }

    public mutating func beginArray() {
        begin(UInt8(ascii: "["), isObject: false)
    }

    public mutating func endArray() {
        end(UInt8(ascii: "]"), isObject: false)
    }

    /// The name of the next value, printable ASCII without quotes and backslashes.
    @inlinable
    public mutating func member(_ name: StaticString) {
        assert(name.hasPointerRepresentation && name.withUTF8Buffer { $0.allSatisfy(Self.isPlain) })
        expectMember()
        let count = name.utf8CodeUnitCount
        bytes.append(atMost: count + 3) { room in
            room[0] = UInt8(ascii: "\"")
            (room + 1).update(from: name.utf8Start, count: count)
            room[count &+ 1] = UInt8(ascii: "\"")
            room[count &+ 2] = UInt8(ascii: ":")
            return count &+ 3
        }
    }

    /// A constant piece of JSON, in one store instead of one for each part.
    ///
    /// The caller guarantees that it is valid. It ends in a comma, an opening bracket or a colon, as its parts would.
    /// - Parameter opening: the number of objects that it opens and does not close.
    @inlinable @inline(__always)
    public mutating func piece(_ text: StaticString, opening: Int = 0) {
        bytes.append(text)
        depth += opening
        for _ in 0..<opening { objects = objects << 1 | 1 }
    }

    /// The name of the next value, any text, for names from users, such as labels.
    public mutating func member(escaping name: String) {
        expectMember()
        appendQuoted(name, then: UInt8(ascii: ":"))
    }

    /// A value that was encoded before.
    public mutating func fragment(_ fragment: JSONFragment) {
        expectValue()
        fragment.bytes.withUnsafeBufferPointer { bytes.append($0) }
        bytes.append(UInt8(ascii: ","))
    }

    /// Repeats members or values of this document by the range of their bytes: cheaper than writing them again.
    ///
    /// - Parameter range: from the start of a member or value to the end of one, with its comma.
    public mutating func again(_ range: Range<Int>) {
        assert(range.isEmpty || bytes.storage[range.upperBound - 1] == UInt8(ascii: ","), "a value ends in its comma")
        bytes.append(again: range)
    }

    /// Must be called before each value.
    @inlinable @inline(__always)
    public func expectValue() {
        assert(
            depth == 0 ? bytes.count == 0 : objects & 1 == 0 || bytes.last == UInt8(ascii: ":"),
            "a document is one value, and a value of an object has a name")
    }

    @inlinable @inline(__always)
    public func expectMember() {
        assert(depth > 0 && objects & 1 == 1 && bytes.last != UInt8(ascii: ":"), "only an object has names")
    }

    private mutating func begin(_ bracket: UInt8, isObject: Bool) {
        expectValue()
        bytes.append(bracket)
        depth += 1
        objects = objects << 1 | (isObject ? 1 : 0)
    }

    private mutating func end(_ bracket: UInt8, isObject: Bool) {
        precondition(depth > 0, "nothing is open")
        assert(depth > 64 || objects & 1 == (isObject ? 1 : 0), "the other bracket is open")
        assert(bytes.last != UInt8(ascii: ":"), "a name without its value")
        if bytes.last == UInt8(ascii: ",") { bytes.removeLast() }
        bytes.append(atMost: 2) { room in
            room[0] = bracket
            room[1] = UInt8(ascii: ",")
            return 2
        }
        depth -= 1
        objects >>= 1
    }
}

/// A buffer that only grows and has a single owner, so that an append is a bounds check and a store.
///
/// `[UInt8]` checks uniqueness and capacity at every append, which was most of the cost of a result in 300 pieces.
public struct ByteBuffer: ~Copyable {
    public var storage: UnsafeMutablePointer<UInt8>
    public var capacity: Int
    public var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        storage = .allocate(capacity: self.capacity)
    }

    deinit {
        storage.deallocate()
    }

    /// The last byte; 0 if the buffer is empty.
    @inlinable
    public var last: UInt8 {
        count > 0 ? storage[count - 1] : 0
    }

    /// Removes the last byte; the buffer must not be empty.
    mutating func removeLast() {
        precondition(count > 0)
        count -= 1
    }

    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) {
        append(atMost: 1) { room in
            room.pointee = byte
            return 1
        }
    }

    @inlinable @inline(__always)
    public mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        append(atMost: bytes.count) { room in
            room.update(from: source, count: bytes.count)
            return bytes.count
        }
    }

    /// Appends a copy of bytes of this buffer.
    /// - Parameter range: within `0..<count`.
    mutating func append(again range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        if range.count > capacity &- count { grow(by: range.count) }
        // Nothing after `count` overlaps what is before it.
        (storage + count).update(from: storage + range.lowerBound, count: range.count)
        count &+= range.count
    }

    /// Appends a constant text.
    @inlinable @inline(__always)
    public mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends what `write` stores at the given address. It returns the size, at most `size` bytes.
    @inlinable @inline(__always)
    public mutating func append(atMost size: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
        if size > capacity &- count { grow(by: size) }
        let written = write(storage + count)
        assert(written <= size)
        count &+= written
    }

    /// A copy as an array.
    func array() -> [UInt8] {
        Array(UnsafeBufferPointer(start: storage, count: count))
    }

    @inline(never)
    public mutating func grow(by size: Int) {
        let largerCapacity = max(capacity * 2, count + size)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: largerCapacity)
        larger.update(from: storage, count: count)
        storage.deallocate()
        storage = larger
        capacity = largerCapacity
    }
}
