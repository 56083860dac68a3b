/// The head of a request: method, target, headers and client.
///
/// It has passed the strict checks of RFC 9112: HTTP/1.0 or 1.1, at most one Host, one body framing, token-only names, no
/// control characters. It is stored as one block of bytes, and strings are made on request. It is a class, since it is
/// passed on many times.
public final class RequestHead: Sendable {
    public let method: HTTPMethod
    /// Whether the request has a body.
    public let hasBody: Bool
    /// The body's length in bytes; nil for a chunked body, 0 without a body.
    public let contentLength: UInt64?
    private let source: ConnectionSource

    public var listener: ListenerKind { source.listener }
    public var purpose: Listener.Purpose { source.purpose }
    public var peer: Peer { source.peer }
    /// The client's network; nil for a UNIX-domain socket.
    public var clientNetwork: ClientNetwork? { ClientNetwork(of: source.peer) }
    /// Whether it was sent over TLS.
    public var isHTTPS: Bool { source.isHTTPS }
    /// The name in the client's verified certificate; nil if none was requested.
    public var certificateName: String? { source.certificateName }

    /// The target from its path on, then the header lines in the form that `HeaderLines` describes.
    private let storage: [UInt8]
    private let pathLength: Int
    private let targetLength: Int
    /// Excludes most absent names without a search.
    private let names: HeaderNameFilter

    init(
        method: HTTPMethod, target: ArraySlice<UInt8>, headers: UnsafeBufferPointer<UInt8>, names: HeaderNameFilter,
        framing: BodyFraming, source: ConnectionSource
    ) {
        self.method = method
        self.names = names
        hasBody = framing.hasBody
        contentLength = framing.contentLength
        self.source = source
        let targetLength = target.count
        var storage: [UInt8] = []
        storage.reserveCapacity(targetLength + headers.count)
        storage.append(contentsOf: target)
        storage.append(contentsOf: headers)
        self.storage = storage
        self.targetLength = targetLength
        pathLength = storage[..<targetLength].firstIndex(of: UInt8(ascii: "?")) ?? targetLength
    }

    // MARK: The target

    /// The path as it was sent, still percent-encoded, without the query. It starts with a slash, or is `*`.
    public var path: String { String(decoding: storage[..<pathLength], as: UTF8.self) }

    /// Whether the path equals this, byte by byte; cheaper than `path`.
    public func hasPath(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard count == pathLength else { return false }
        return storage.withUnsafeBufferPointer { ASCII.equal(UnsafeBufferPointer(rebasing: $0[..<count]), text) }
    }

    /// The path's segments after its first slash. Each is percent-decoded on its own, so that `%2F` is not a separator.
    /// - Returns: nil if the percent-encoding is invalid, or a segment is not UTF-8 or contains a NUL.
    public func pathSegments() -> [String]? {
        var segments: [String] = []
        let path = storage[..<pathLength].dropFirst()
        for segment in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let text = PercentCoding.decode(segment, plusIsSpace: false) else { return nil }
            segments.append(text)
        }
        return segments
    }

    /// The query after the `?`, as it was sent; nil without one.
    public var rawQuery: String? {
        pathLength == targetLength ? nil : String(decoding: storage[(pathLength + 1)..<targetLength], as: UTF8.self)
    }

    /// The query parameters in order, percent-decoded. A name without `=` has an empty value.
    /// - Parameter plusIsSpace: whether `+` means a space, as in forms. In `target=unix+dgram:/x` it does not.
    public func query(plusIsSpace: Bool = true) -> [QueryParameter] {
        guard pathLength < targetLength else { return [] }
        return storage[(pathLength + 1)..<targetLength].split(separator: UInt8(ascii: "&")).map {
            QueryParameter(encoded: $0, plusIsSpace: plusIsSpace)
        }
    }

    // MARK: Headers

    /// The first value of a header, trimmed. Invalid UTF-8 becomes U+FFFD.
    /// - Parameter name: in lower case.
    public func header(_ name: StaticString) -> String? {
        guard names.mayContain(name) else { return nil }
        var position = 0
        return withLines { lines in
            lines.nextValue(of: name, from: &position).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Whether the first value of a header equals this, byte by byte; cheaper than `header(_:)`.
    /// - Parameter name: in lower case.
    public func header(_ name: StaticString, is text: StaticString) -> Bool {
        var position = 0
        return withLines { lines in
            guard let value = lines.nextValue(of: name, from: &position) else { return false }
            return ASCII.equal(value, text)
        }
    }

    /// Every value of a header, in order.
    /// - Parameter name: in lower case.
    public func headers(_ name: StaticString) -> [String] {
        withLines { lines in
            var values: [String] = []
            var position = 0
            while let value = lines.nextValue(of: name, from: &position) {
                values.append(String(decoding: value, as: UTF8.self))
            }
            return values
        }
    }

    private func withLines<Result>(_ body: (HeaderLines) -> Result) -> Result {
        storage.withUnsafeBufferPointer { body(HeaderLines(bytes: UnsafeBufferPointer(rebasing: $0[targetLength...]))) }
    }
}

/// A query parameter.
public struct QueryParameter: Sendable, Equatable {
    /// Percent-decoded; as it was sent if it cannot be decoded.
    public let name: String
    /// Percent-decoded; nil if name or value has invalid percent-encoding, is not UTF-8, or contains a NUL.
    public let value: String?

    /// - Parameter encoded: the bytes between two `&`.
    init(encoded: ArraySlice<UInt8>, plusIsSpace: Bool) {
        let equals = encoded.firstIndex(of: UInt8(ascii: "=")) ?? encoded.endIndex
        let value = PercentCoding.decode(encoded[equals...].dropFirst(), plusIsSpace: plusIsSpace)
        if let name = PercentCoding.decode(encoded[..<equals], plusIsSpace: plusIsSpace) {
            self.name = name
            self.value = value
        } else {
            name = String(decoding: encoded[..<equals], as: UTF8.self)
            self.value = nil
        }
    }
}

/// Percent-encoding (RFC 3986, section 2.1), decoded strictly.
public enum PercentCoding {
    /// - Returns: nil if a `%` is not followed by two hexadecimal digits, or the result is not UTF-8 or contains a NUL.
    public static func decode(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) -> String? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            switch bytes[index] {
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.endIndex, let high = ASCII.hexValue(bytes[index + 1]),
                    let low = ASCII.hexValue(bytes[index + 2]), high | low != 0
                else { return nil }
                decoded.append(high << 4 | low)
                index += 3
            case UInt8(ascii: "+") where plusIsSpace:
                decoded.append(0x20)
                index += 1
            case let byte:
                decoded.append(byte)
                index += 1
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }
}
