/// A recursive-descent parser for the grammar of RFC 8259; `position` is the next unread byte.
///
/// Every method takes the text as a span with checked bounds, so that the parser does not retain it.
struct JSONParser {
    /// The number of members up to which a new name is compared with each earlier one. Beyond it, a set keeps large
    /// objects linear.
    static let linearMembers = 16

    var position = 0
    /// The decoded text of a string with escapes.
    var scratch: [UInt8] = []
    var depthLeft: Int
    private var valuesLeft: Int

    init(limits: JSONLimits) {
        depthLeft = limits.depth
        valuesLeft = limits.values
    }

    /// document = ws value ws
    mutating func document(_ bytes: Span<UInt8>) throws(JSONFailure) -> JSONValue {
        try beginDocument(bytes)
        let value = try value(bytes)
        try endDocument(bytes)
        return value
    }

    mutating func beginDocument(_ bytes: Span<UInt8>) throws(JSONFailure) {
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw failure("the document must not start with a byte order mark")
        }
        skipWhitespace(bytes)
        if position == bytes.count { throw failure("the document is empty") }
    }

    mutating func endDocument(_ bytes: Span<UInt8>) throws(JSONFailure) {
        skipWhitespace(bytes)
        if position < bytes.count {
            throw failure("nothing may follow the document, but \(found(bytes)) does")
        }
    }

    /// A value that starts at `position`.
    mutating func value(_ bytes: Span<UInt8>) throws(JSONFailure) -> JSONValue {
        guard position < bytes.count else { throw unexpected(bytes, "a value") }
        guard valuesLeft > 0 else { throw failure("the document holds too many values", .limit) }
        valuesLeft -= 1
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try string(bytes))
        case UInt8(ascii: "{"): return .object(try object(bytes))
        case UInt8(ascii: "["): return .array(try array(bytes))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(bytes)
        case UInt8(ascii: "t"): return try literal("true", .bool(true), bytes)
        case UInt8(ascii: "f"): return try literal("false", .bool(false), bytes)
        case UInt8(ascii: "n"): return try literal("null", .null, bytes)
        case _: throw unexpected(bytes, "a value")
        }
    }

    private mutating func literal(
        _ word: StaticString, _ value: JSONValue, _ bytes: Span<UInt8>
    ) throws(JSONFailure) -> JSONValue {
        let count = word.utf8CodeUnitCount
        guard count <= bytes.count - position else { throw failure("expected true, false or null") }
        for index in 0..<count where bytes[position + index] != word.utf8Start[index] {
            throw failure("expected true, false or null")
        }
        position += count
        return value
    }

    private mutating func array(_ bytes: Span<UInt8>) throws(JSONFailure) -> [JSONValue] {
        var values: [JSONValue] = []
        try elements(bytes) { (parser) throws(JSONFailure) in values.append(try parser.value(bytes)) }
        return values
    }

    /// An array, each of whose elements `element` reads.
    @inline(__always)
    mutating func elements(
        _ bytes: Span<UInt8>, _ element: (inout JSONParser) throws(JSONFailure) -> Void
    ) throws(JSONFailure) {
        try enter()
        var count = 0
        skipWhitespace(bytes)
        if take(UInt8(ascii: "]"), bytes) {
            depthLeft += 1
            return
        }
        while true {
            do throws(JSONFailure) {
                try element(&self)
            } catch {
                throw error.inside(.element(count))
            }
            count += 1
            skipWhitespace(bytes)
            if take(UInt8(ascii: "]"), bytes) { break }
            try comma(bytes, orClosing: UInt8(ascii: "]"))
        }
        depthLeft += 1
    }

    /// An object.
    /// - Parameter special: reads the value of a member by its name; nil leaves it to the parser.
    @inline(__always)
    mutating func object(
        _ bytes: Span<UInt8>,
        _ special: (inout JSONParser, String) throws(JSONFailure) -> JSONValue? = { _, _ in nil }
    ) throws(JSONFailure) -> JSONObject {
        try enter()
        var members: [JSONObject.Member] = []
        var names: Set<ExactName> = []
        skipWhitespace(bytes)
        if take(UInt8(ascii: "}"), bytes) {
            depthLeft += 1
            return JSONObject(members: members)
        }
        // Most objects have no more members; doubling from one would allocate three times.
        members.reserveCapacity(4)
        while true {
            let start = position
            guard start < bytes.count, bytes[start] == UInt8(ascii: "\"") else {
                throw unexpected(bytes, "a member name in double quotes")
            }
            let name = try string(bytes)
            guard isNew(name, among: members, names: &names) else {
                throw JSONFailure(
                    offset: start, detail: "this member name occurs twice in its object", kind: .duplicateName
                )
                .inside(.member(name))
            }
            do throws(JSONFailure) {
                try colon(bytes)
                let value = if let known = try special(&self, name) { known } else { try self.value(bytes) }
                members.append(JSONObject.Member(key: name, value: value))
            } catch {
                throw error.inside(.member(name))
            }
            skipWhitespace(bytes)
            if take(UInt8(ascii: "}"), bytes) { break }
            try comma(bytes, orClosing: UInt8(ascii: "}"))
        }
        depthLeft += 1
        return JSONObject(members: members)
    }

    mutating func colon(_ bytes: Span<UInt8>) throws(JSONFailure) {
        skipWhitespace(bytes)
        guard take(UInt8(ascii: ":"), bytes) else { throw unexpected(bytes, "a colon after the member name") }
        skipWhitespace(bytes)
    }

    private func isNew(_ name: String, among members: [JSONObject.Member], names: inout Set<ExactName>) -> Bool {
        if members.count < Self.linearMembers {
            return !members.contains { $0.key.hasSameBytes(as: name) }
        }
        if names.isEmpty {
            for member in members { names.insert(ExactName(name: member.key)) }
        }
        return names.insert(ExactName(name: name)).inserted
    }

    /// Skips the opening bracket and enters one level.
    mutating func enter() throws(JSONFailure) {
        guard depthLeft > 0 else { throw failure("arrays and objects are nested too deeply", .limit) }
        depthLeft -= 1
        position += 1
    }

    mutating func comma(_ bytes: Span<UInt8>, orClosing bracket: UInt8) throws(JSONFailure) {
        let comma = position
        guard take(UInt8(ascii: ","), bytes) else {
            throw unexpected(bytes, "a comma or '\(Character(UnicodeScalar(bracket)))'")
        }
        skipWhitespace(bytes)
        if position < bytes.count, bytes[position] == bracket {
            throw JSONFailure(offset: comma, detail: "a comma must not precede \(found(bytes))")
        }
    }

    func isAt(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool { position < bytes.count && bytes[position] == byte }

    mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): position += 1
            case _: return
            }
        }
    }
}

extension JSONParser {
    /// A failure at `position`.
    func failure(_ detail: String, _ kind: JSONSyntaxError.Kind = .grammar) -> JSONFailure {
        JSONFailure(offset: position, detail: detail, kind: kind)
    }

    /// A failure at `position`, where something else was expected.
    func unexpected(_ bytes: Span<UInt8>, _ expected: String) -> JSONFailure {
        failure("expected \(expected), found \(found(bytes))\(remark(bytes))")
    }

    /// Describes what is at `position`, for people.
    func found(_ bytes: Span<UInt8>) -> String {
        guard position < bytes.count else { return "the end of the document" }
        let byte = bytes[position]
        guard (0x21...0x7E).contains(byte) else {
            let digits = String(byte, radix: 16, uppercase: true)
            return "byte 0x" + (byte < 0x10 ? "0" : "") + digits
        }
        return "'\(Character(UnicodeScalar(byte)))'"
    }

    /// Names the laxer notation that the byte suggests, if there is one.
    private func remark(_ bytes: Span<UInt8>) -> String {
        guard position < bytes.count else { return "" }
        return switch bytes[position] {
        case UInt8(ascii: "/"), UInt8(ascii: "#"): "; JSON has no comments"
        case UInt8(ascii: "'"): "; strings need double quotes"
        case UInt8(ascii: "N"), UInt8(ascii: "I"): "; NaN and Infinity are not JSON"
        case UInt8(ascii: "+"), UInt8(ascii: "."): "; a number starts with a digit or a minus sign"
        case _: ""
        }
    }
}

/// Limits on the cost of a document beyond its own size.
public struct JSONLimits: Sendable {
    /// The maximum depth of arrays and objects; at most 512, because the reader recurses.
    public let depth: Int

    /// The maximum number of values; a value of two bytes needs 24 or more in memory.
    public let values: Int

    /// The defaults of the service: depth 16, two million values.
    public init(depth: Int = 16, values: Int = 2_000_000) {
        self.depth = min(depth, 512)
        self.values = values
    }
}
