extension String {
    /// Whether both are the same bytes in UTF-8, the sense in which RFC 8259 section 8.3 compares names.
    ///
    /// `==` is another question: it holds for U+212A KELVIN SIGN and `K`.
    func hasSameBytes(as other: String) -> Bool {
        // Nearly all names differ in size, and to ask for that costs far less than to ask for a span.
        guard utf8.count == other.utf8.count else { return false }
        let left = utf8.span
        let right = other.utf8.span
        for index in left.indices where left[index] != right[index] {
            return false
        }
        return true
    }

    /// Whether the text is a name of the program, byte for byte.
    func hasSameBytes(as other: StaticString) -> Bool {
        let count = other.utf8CodeUnitCount
        guard utf8.count == count else { return false }
        let bytes = utf8.span
        for index in 0..<count where bytes[index] != other.utf8Start[index] { return false }
        return true
    }
}

/// A member name that is hashed and compared by its bytes, for a set of the names of a large object.
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
