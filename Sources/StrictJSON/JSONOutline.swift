/// A document that is an object, with one array whose elements were checked but not decoded.
///
/// A reader of ten thousand elements decodes one after another, each from its own bytes. The whole document is valid by
/// the grammar of RFC 8259. What concerns only one element is found when that one is decoded: duplicate names, numbers
/// beyond a double, and more levels than its limits allow.
public struct JSONOutline: Sendable {
    /// The document without the elements: the array is empty here. If the document is not an object, its type.
    public let document: JSONValue
    /// Where the elements are in the text, in order; nil if the document has no such array.
    public let elements: [Range<Int>]?
    /// How many elements the array has, including those beyond the limit, which are not in `elements`.
    public let elementCount: Int

    /// How deeply an element may be nested in all. Its own limit is lower: this one protects the parser's stack.
    private static let depth = 64

    /// Reads one document, as `JSONValue.parse` does.
    /// - Parameters:
    ///   - name: the member of the document with the array.
    ///   - maximumElements: how many elements are noted.
    ///   - limits: for the other members; its depth is not used.
    public static func parse(
        _ bytes: [UInt8], deferring name: StaticString, maximumElements: Int, limits: JSONLimits = JSONLimits()
    ) throws(JSONSyntaxError) -> JSONOutline {
        let span = bytes.span
        var parser = JSONParser(limits: JSONLimits(depth: depth, values: limits.values))
        var reading = Reading(name: name, maximumElements: maximumElements)
        do throws(JSONFailure) {
            let document = try parser.outline(span, &reading)
            return JSONOutline(document: document, elements: reading.elements, elementCount: reading.count)
        } catch {
            throw JSONSyntaxError(error, in: span)
        }
    }

    /// What is found out about the array.
    struct Reading {
        let name: StaticString
        let maximumElements: Int
        var elements: [Range<Int>]?
        var count = 0

        mutating func note(_ range: Range<Int>) {
            if count < maximumElements { elements?.append(range) }
            count += 1
        }
    }
}

extension JSONParser {
    /// A document whose elements of one array are skipped.
    fileprivate mutating func outline(
        _ bytes: Span<UInt8>, _ reading: inout JSONOutline.Reading
    ) throws(JSONFailure) -> JSONValue {
        try beginDocument(bytes)
        let document: JSONValue
        if position < bytes.count, bytes[position] == UInt8(ascii: "{") {
            document = .object(try objectMembers(bytes, &reading))
        } else if position < bytes.count, bytes[position] == UInt8(ascii: "[") {
            try skipValue(bytes)
            document = .array([])
        } else {
            document = try value(bytes)
        }
        try endDocument(bytes)
        return document
    }

    private mutating func objectMembers(
        _ bytes: Span<UInt8>, _ reading: inout JSONOutline.Reading
    ) throws(JSONFailure) -> JSONObject {
        try object(bytes) { (parser, name) throws(JSONFailure) in
            guard name.hasSameBytes(as: reading.name), parser.isAt(UInt8(ascii: "["), bytes) else { return nil }
            try parser.skipElements(bytes, &reading)
            return .array([])
        }
    }

    private mutating func skipElements(
        _ bytes: Span<UInt8>, _ reading: inout JSONOutline.Reading
    ) throws(JSONFailure) {
        reading.elements = []
        try elements(bytes) { (parser) throws(JSONFailure) in
            let start = parser.position
            try parser.skipValue(bytes)
            reading.note(start..<parser.position)
        }
    }

    /// Checks the grammar of a value that starts at `position`, and moves to its end.
    private mutating func skipValue(_ bytes: Span<UInt8>) throws(JSONFailure) {
        guard position < bytes.count else { throw unexpected(bytes, "a value") }
        switch bytes[position] {
        case UInt8(ascii: "\""): try skipString(bytes)
        case UInt8(ascii: "{"): try skipObject(bytes)
        case UInt8(ascii: "["): try elements(bytes) { (parser) throws(JSONFailure) in try parser.skipValue(bytes) }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber(bytes)
        case _: _ = try value(bytes)
        }
    }

    private mutating func skipObject(_ bytes: Span<UInt8>) throws(JSONFailure) {
        try enter()
        skipWhitespace(bytes)
        defer { depthLeft += 1 }
        if take(UInt8(ascii: "}"), bytes) { return }
        while true {
            guard isAt(UInt8(ascii: "\""), bytes) else { throw unexpected(bytes, "a member name in double quotes") }
            try skipString(bytes)
            try colon(bytes)
            try skipValue(bytes)
            skipWhitespace(bytes)
            if take(UInt8(ascii: "}"), bytes) { return }
            try comma(bytes, orClosing: UInt8(ascii: "}"))
        }
    }
}
