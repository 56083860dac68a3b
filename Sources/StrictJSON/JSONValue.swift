/// One JSON value as RFC 8259 section 3 defines it, in memory.
///
/// A number is `integer` only where it is written without a fraction and an exponent and fits 64 bits; `1.0`, `1e3` and
/// `9223372036854775808` are `number`, which is always finite.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// What the value is, as a noun with its article for a sentence such as "must be a string, got an array".
    public var kindDescription: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number with a fraction or more than 64 bits"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue {
    /// The value where it is a number without a fraction, however that is written, and fits 64 bits.
    public var wholeNumber: Int64? {
        switch self {
        case .integer(let integer): integer
        case .number(let number): Int64(exactly: number)
        case .null, .bool, .string, .array, .object: nil
        }
    }
}

extension JSONValue: Equatable {
    /// Whether both are the same value: strings byte by byte (`String`'s own `==` holds for canonically equivalent text
    /// too), objects in the same order, and an integer never equal to a number.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        case (.null, _), (.bool, _), (.integer, _), (.number, _), (.string, _), (.array, _), (.object, _): false
        }
    }
}

extension JSONValue {
    /// Reads one document as RFC 8259 and nothing beyond it.
    ///
    /// Refused besides bad grammar: a byte order mark, bad UTF-8, lone surrogates, a name twice in one object, numbers
    /// beyond a double, and what exceeds the limits. `\u0000` in a string is legal and left to the caller to judge.
    public static func parse(
        _ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) -> JSONValue {
        var parser = JSONParser(limits: limits)
        do throws(JSONFailure) {
            return try parser.document(bytes)
        } catch {
            throw JSONSyntaxError(error, in: bytes)
        }
    }

    /// Reads one document from an array; see the overload for a span.
    public static func parse(
        _ bytes: [UInt8], limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) -> JSONValue {
        try parse(bytes.span, limits: limits)
    }

    /// Reads one document from borrowed memory, which is not kept; see the overload for a span.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) -> JSONValue {
        try parse(bytes.bindMemory(to: UInt8.self).span, limits: limits)
    }
}

/// The members of a JSON object in the order in which they were written; no name occurs twice when the reader made it.
public struct JSONObject: Sendable, Equatable {
    /// A name and its value.
    public struct Member: Sendable {
        public let key: String
        public let value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// All members, in order.
    public let members: [Member]

    /// Wraps members as they are; whoever makes an object by hand answers for names that occur twice.
    public init(members: [Member]) {
        self.members = members
    }

    /// The value of the member with exactly these bytes as its name; a linear search, meant for small objects.
    public subscript(key: String) -> JSONValue? {
        members.first { $0.key.hasSameBytes(as: key) }?.value
    }

    /// Where in `members` a name of the program stands, by a linear search.
    func index(of key: StaticString) -> Int? {
        for index in members.indices where members[index].key.hasSameBytes(as: key) {
            return index
        }
        return nil
    }
}

extension JSONObject.Member: Equatable {
    public static func == (left: Self, right: Self) -> Bool {
        left.key.hasSameBytes(as: right.key) && left.value == right.value
    }
}

/// One encoded JSON value, kept to be written many times: a part of a response that is always the same.
public struct JSONFragment: Sendable {
    /// The value in UTF-8, always valid JSON.
    public let bytes: [UInt8]

    /// Encodes what `write` writes, which has to be one value.
    public init(_ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        write(&writer)
        bytes = writer.finish()
    }
}
