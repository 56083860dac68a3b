/// Bytes that only grow, owned alone, so that an append is a bounds check and a store and never asks who else holds them.
///
/// `[UInt8]` asks for uniqueness and capacity at each append; for a result of 1 KB in 300 pieces that was most of the cost.
struct ByteBuffer: ~Copyable {
    // SAFETY: `count <= storage.count` always holds, every write goes through `reserve`, which makes room first, and
    // nothing hands the pointer out: it is freed only in `grow`, which replaces it, and in deinit.
    private var storage: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(capacity: Int) {
        storage = .allocate(capacity: max(capacity, 64))
    }

    deinit {
        storage.deallocate()
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1).pointee = byte
        count += 1
    }

    @inline(__always)
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count).update(from: source, count: bytes.count)
        count += bytes.count
    }

    /// Appends a text of the program.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    /// A copy as an array.
    func array() -> [UInt8] {
        Array(UnsafeBufferPointer(rebasing: storage[..<count]))
    }

    /// Where `size` more bytes may be written.
    @inline(__always)
    private mutating func reserve(_ size: Int) -> UnsafeMutablePointer<UInt8> {
        if size > storage.count - count { grow(by: size) }
        // SAFETY: a buffer of at least 64 bytes has a base address.
        return storage.baseAddress.unsafelyUnwrapped + count
    }

    @inline(never)
    private mutating func grow(by size: Int) {
        let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(storage.count * 2, count + size))
        _ = larger.update(fromContentsOf: storage[..<count])
        storage.deallocate()
        storage = larger
    }
}
