/// Writes one JSON document as bytes; sets every comma itself.
///
/// Begin and end, member and value have to pair: a debug build traps where they do not, and `finish` always does.
package struct JSONWriter: ~Copyable {
    var bytes: ByteBuffer
    private var needsComma = false
    private var depth = 0
    /// A bit for each container, the innermost lowest: 1 is an object. Exact for the innermost 64.
    private var objects: UInt64 = 0
    private var awaitsMemberValue = false

    /// A writer that has room for `reserving` bytes before it allocates again.
    package init(reserving size: Int = 1024) {
        bytes = ByteBuffer(capacity: size)
    }

    /// The bytes, the document complete.
    package consuming func finish() -> [UInt8] {
        precondition(depth == 0 && needsComma, "a JSON document is one complete value")
        return bytes.array()
    }

    /// The bytes, the document complete and followed by LF.
    package consuming func finishLine() -> [UInt8] {
        precondition(depth == 0 && needsComma, "a JSON document is one complete value")
        bytes.append(UInt8(ascii: "\n"))
        return bytes.array()
    }

    package mutating func beginObject() {
        begin(UInt8(ascii: "{"), isObject: true)
    }

    package mutating func endObject() {
        end(UInt8(ascii: "}"), isObject: true)
    }

    package mutating func beginArray() {
        begin(UInt8(ascii: "["), isObject: false)
    }

    package mutating func endArray() {
        end(UInt8(ascii: "]"), isObject: false)
    }

    /// The name of the next value, printable ASCII without quotes and backslashes.
    package mutating func member(_ name: StaticString) {
        assert(name.utf8CodeUnitCount == 0 || name.withUTF8Buffer { $0.allSatisfy(Self.isPlain) })
        beginMember()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(name)
        bytes.append("\":")
    }

    /// The name of the next value, any text; a name that comes from a user, such as that of a label.
    package mutating func member(escaping name: String) {
        beginMember()
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// A value that was encoded before.
    package mutating func fragment(_ fragment: JSONFragment) {
        beginValue()
        fragment.bytes.withUnsafeBufferPointer { bytes.append($0) }
    }

    /// To be called before each value: sets the comma that it needs.
    mutating func beginValue() {
        assert(depth == 0 ? !needsComma : objects & 1 == 0 || awaitsMemberValue, "a value needs a place")
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
        awaitsMemberValue = false
    }

    private mutating func beginMember() {
        assert(depth > 0 && objects & 1 == 1 && !awaitsMemberValue, "a member stands in an object")
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = false
        awaitsMemberValue = true
    }

    private mutating func begin(_ bracket: UInt8, isObject: Bool) {
        beginValue()
        bytes.append(bracket)
        needsComma = false
        depth += 1
        objects = objects << 1 | (isObject ? 1 : 0)
    }

    private mutating func end(_ bracket: UInt8, isObject: Bool) {
        assert(depth > 0 && !awaitsMemberValue && (depth > 64 || objects & 1 == (isObject ? 1 : 0)), "unpaired end")
        bytes.append(bracket)
        needsComma = true
        depth -= 1
        objects >>= 1
    }
}
