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

    /// Appends bytes that are here already.
    mutating func append(again range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        if range.count > capacity &- count { grow(by: range.count) }
        // Behind `count` nothing overlaps what is before it.
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
