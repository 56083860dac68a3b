/// Writes one JSON document as bytes; sets every comma itself.
///
/// Begin and end, member and value have to pair: a debug build traps where they do not, and `finish` traps always where
/// a container is open. Until the end each value carries its comma behind it, and the bracket that closes takes its place.
public struct JSONWriter: ~Copyable {
    public var bytes: ByteBuffer
    public var depth = 0
    /// A bit for each container, the innermost lowest: 1 is an object. Exact for the innermost 64.
    public var objects: UInt64 = 0

    /// A writer that has room for `reserving` bytes before it allocates again.
    public init(reserving size: Int = 1024) {
        bytes = ByteBuffer(capacity: size)
    }

    /// The bytes, the document complete.
    public consuming func finish() -> [UInt8] {
        precondition(depth == 0 && bytes.last == UInt8(ascii: ","), "a JSON document is one complete value")
        bytes.removeLast()
        return bytes.array()
    }

    /// The bytes, the document complete and followed by LF.
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

    /// A piece of JSON as it stands: what is the same in every document, in one store instead of one for each part.
    ///
    /// Whoever writes it answers for it. It ends in a comma, an opening bracket or a colon, as the parts would have it.
    /// - Parameter opening: how many objects it opens and leaves open.
    @inlinable @inline(__always)
    public mutating func piece(_ text: StaticString, opening: Int = 0) {
        bytes.append(text)
        depth += opening
        for _ in 0..<opening { objects = objects << 1 | 1 }
    }

    /// The name of the next value, any text; a name that comes from a user, such as that of a label.
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

    /// Members or values of this document once more, by where their bytes are: cheaper than to write them again.
    ///
    /// - Parameter range: from where a member or value began to where one ended, its comma included.
    public mutating func again(_ range: Range<Int>) {
        assert(range.isEmpty || bytes.storage[range.upperBound - 1] == UInt8(ascii: ","), "a value ends in its comma")
        bytes.append(again: range)
    }

    /// To be called before each value.
    @inlinable @inline(__always)
    public func expectValue() {
        assert(
            depth == 0 ? bytes.count == 0 : objects & 1 == 0 || bytes.last == UInt8(ascii: ":"),
            "a document is one value, and a value of an object has a name")
    }

    @inlinable @inline(__always)
    public func expectMember() {
        assert(depth > 0 && objects & 1 == 1 && bytes.last != UInt8(ascii: ":"), "a name stands in an object")
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

/// Bytes that only grow, owned alone, so that an append is a bounds check and a store.
///
/// `[UInt8]` asks for uniqueness and capacity at every append, which was most of the cost of a result in 300 pieces.
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

    /// The last byte; 0 where there is none.
    @inlinable
    public var last: UInt8 {
        count > 0 ? storage[count - 1] : 0
    }

    /// Takes the last byte away; there has to be one.
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

    /// Appends bytes of this buffer once more.
    /// - Parameter range: within `0..<count`.
    mutating func append(again range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        if range.count > capacity &- count { grow(by: range.count) }
        // Nothing after `count` overlaps what is before it.
        (storage + count).update(from: storage + range.lowerBound, count: range.count)
        count &+= range.count
    }

    /// Appends a text of the program.
    @inlinable @inline(__always)
    public mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends what `write` puts at the address that it is given and says the size of, never more than `size` bytes.
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
