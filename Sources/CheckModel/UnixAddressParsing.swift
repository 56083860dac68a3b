extension UnixAddress {
    /// The longest path and name that a target takes. connect(2) takes 107 bytes; up to this limit a check says so.
    static let limitBytes = 4096

    /// Reads what stands behind `unix:`: a path, three slashes at its front where the URL has an empty authority, or `@name`.
    init(urlRest bytes: Span<UInt8>) throws(TargetError) {
        guard bytes.hasLiteral("//", at: 0) else {
            try self.init(written: bytes)
            return
        }
        guard bytes.hasLiteral("///", at: 0) else {
            throw TargetError("A UNIX-domain target has no host: write unix:/path or unix:///path.", member: .path)
        }
        try self.init(written: bytes.extracting(droppingFirst: 2))
    }

    /// Reads an absolute path, or `@` and an abstract name. Both are taken as written; no percent sign is decoded.
    init(written bytes: Span<UInt8>) throws(TargetError) {
        guard bytes.count > 0 else { throw TargetError("The path is empty.", member: .path) }
        guard bytes.count <= Self.limitBytes else {
            throw TargetError("The path has more than \(Self.limitBytes) bytes.", member: .path)
        }
        guard bytes.firstOffset(of: 0) == nil else {
            throw TargetError("A NUL in the path is refused.", member: .path)
        }
        switch bytes[0] {
        case .slash:
            self = .path(Array(bytes))
        case .atSign:
            guard bytes.count > 1 else { throw TargetError("The abstract name behind \"@\" is empty.", member: .path) }
            self = .abstract(Array(bytes.extracting(droppingFirst: 1)))
        default:
            throw TargetError(
                "The path is not absolute: write unix:/path, or unix:@name for an abstract name.", member: .path)
        }
    }
}

extension Array<UInt8> {
    init(_ span: Span<UInt8>) {
        self = span.withUnsafeBufferPointer { Array($0) }
    }
}
