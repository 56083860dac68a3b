/// What stands before a request's body: method, target, headers, and who sends it.
///
/// The head has passed the strict judgement of RFC 9112: HTTP/1.0 or 1.1, one Host at most, one framing of the body,
/// token-only names, no control bytes. It is one block of bytes; strings are made where they are asked for. An object,
/// since it goes through many hands.
public final class RequestHead: Sendable {
    public let method: HTTPMethod
    /// Whether bytes follow the head.
    public let hasBody: Bool
    /// The body's length where the client told it; nil for a chunked one, 0 without a body.
    public let contentLength: UInt64?
    private let source: ConnectionSource

    public var listener: ListenerKind { source.listener }
    public var purpose: Listener.Purpose { source.purpose }
    public var peer: Peer { source.peer }
    /// Whether it came over TLS.
    public var isHTTPS: Bool { source.isHTTPS }
    /// Who the client is by its certificate, which was verified; nil where none was asked for.
    public var certificateName: String? { source.certificateName }

    /// The target from its path on, then the header lines, which the judge has checked, as `HeaderLines` has them.
    private let storage: [UInt8]
    private let pathLength: Int
    private let targetLength: Int
    /// Tells of most names at once that no header has them.
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
        let storage = [UInt8](unsafeUninitializedCapacity: targetLength + headers.count) { bytes, count in
            _ = bytes[..<targetLength].initialize(fromContentsOf: target)
            _ = bytes[targetLength...].initialize(fromContentsOf: headers)
            count = targetLength + headers.count
        }
        self.storage = storage
        self.targetLength = targetLength
        pathLength = storage[..<targetLength].firstIndex(of: UInt8(ascii: "?")) ?? targetLength
    }

    // MARK: The target

    /// The path as it was sent: starts with a slash (or is `*`), percent-encoding in place, without the query.
    public var path: String { String(decoding: storage[..<pathLength], as: UTF8.self) }

    /// Whether the path is exactly this, byte by byte; cheaper than `path`.
    public func hasPath(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard count == pathLength else { return false }
        return storage.withUnsafeBufferPointer { ASCII.equal(UnsafeBufferPointer(rebasing: $0[..<count]), text) }
    }

    /// The path's segments behind its first slash, percent-decoded one by one, so that `%2F` is no separator.
    /// - Returns: nil where the percent-encoding is broken, or what it encodes is no UTF-8 or has a NUL.
    public func pathSegments() -> [String]? {
        var segments: [String] = []
        let path = storage[..<pathLength].dropFirst()
        for segment in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let text = PercentCoding.decode(segment, plusIsSpace: false) else { return nil }
            segments.append(text)
        }
        return segments
    }

    /// What stands behind the `?`, as it was sent; nil without one.
    public var rawQuery: String? {
        pathLength == targetLength ? nil : String(decoding: storage[(pathLength + 1)..<targetLength], as: UTF8.self)
    }

    /// The parameters of the query in their order, decoded; a name without `=` has an empty value.
    /// - Parameter plusIsSpace: whether `+` stands for a space, as in forms. In `target=unix+dgram:/x` it does not.
    public func query(plusIsSpace: Bool = true) -> [QueryParameter] {
        guard pathLength < targetLength else { return [] }
        return storage[(pathLength + 1)..<targetLength].split(separator: UInt8(ascii: "&")).map {
            QueryParameter(encoded: $0, plusIsSpace: plusIsSpace)
        }
    }

    // MARK: Headers

    /// The first value of a header, without blanks around it. Bytes that are no UTF-8 show as U+FFFD.
    /// - Parameter name: in lower case.
    public func header(_ name: StaticString) -> String? {
        guard names.mayContain(name) else { return nil }
        var position = 0
        return withLines { lines in
            lines.nextValue(of: name, from: &position).map { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Whether the first value of a header is exactly this, byte by byte; cheaper than to make a string of it.
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
