/// Header lines as the library leaves them and the judge has checked them: `name NUL blanks value NUL NUL`, again and again.
struct HeaderLines: Sequence, IteratorProtocol {
    struct Line {
        let name: ArraySlice<UInt8>
        let value: ArraySlice<UInt8>

        /// Without regard to case; `name` is in lower case.
        func hasName(_ other: StaticString) -> Bool {
            guard name.count == other.utf8CodeUnitCount else { return false }
            return other.withUTF8Buffer { zip(name, $0).allSatisfy { ASCII.lowercased($0) == $1 } }
        }

        var valueText: String { String(decoding: value, as: UTF8.self) }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    mutating func next() -> Line? {
        guard let colon = rest.firstIndex(of: 0) else { return nil }
        let name = rest[..<colon]
        rest = rest[(colon + 1)...]
        guard let end = rest.firstIndex(of: 0) else { return nil }
        let value = rest[..<end]
        rest = rest[end...].dropFirst(2)
        return Line(name: name, value: ASCII.trimmed(value))
    }
}
