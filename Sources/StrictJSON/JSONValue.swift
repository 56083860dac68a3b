/// A JSON value in memory, RFC 8259 section 3.
///
/// A number is an `integer` only if it has no fraction and no exponent and fits 64 bits. `1.0`, `1e3` and
/// `9223372036854775808` are a `number`, which is always finite.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The kind of the value as a noun with its article, for texts such as "must be a string, got an array".
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
    /// The value, if it is a number without a fraction, in any notation, that fits 64 bits.
    public var wholeNumber: Int64? {
        switch self {
        case .integer(let integer): integer
        case .number(let number): Int64(exactly: number)
        case .null, .bool, .string, .array, .object: nil
        }
    }
}

extension JSONValue: Equatable {
    /// Whether both values are the same. Strings are compared by bytes (`String`'s `==` also accepts canonically
    /// equivalent text), objects in order; an integer never equals a number.
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
    /// Reads one document, strictly by RFC 8259.
    ///
    /// Besides invalid grammar, it refuses a byte order mark, invalid UTF-8, lone surrogates, duplicate names, numbers
    /// beyond a double, and what exceeds the limits. `\u0000` in a string is valid; the caller judges it.
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

    /// Reads one document from borrowed memory, which is not retained; see the overload for a span.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) -> JSONValue {
        try parse(bytes.bindMemory(to: UInt8.self).span, limits: limits)
    }
}

/// The members of a JSON object in their order. The reader accepts no duplicate names.
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

    /// Wraps members as they are; the caller must not pass duplicate names.
    public init(members: [Member]) {
        self.members = members
    }

    /// The value of a member by its name, compared by bytes: a linear search for small objects.
    public subscript(key: String) -> JSONValue? {
        members.first { $0.key.hasSameBytes(as: key) }?.value
    }

    /// The index in `members` of a name, by a linear search.
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

/// An encoded JSON value that is written many times, such as a constant part of a response.
public struct JSONFragment: Sendable {
    /// The value as valid JSON in UTF-8.
    public let bytes: [UInt8]

    /// Encodes what `write` writes, which must be one value.
    public init(_ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        write(&writer)
        bytes = writer.finish()
    }

    /// A value that a writer has encoded.
    /// - Parameter bytes: one valid JSON value, without a newline.
    public init(encoded bytes: [UInt8]) {
        self.bytes = bytes
    }
}
