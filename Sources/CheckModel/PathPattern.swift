/// A pattern of UNIX-domain sockets: `/run/app/*.sock`, `/run/**`, `@name-?`.
///
/// `*` stays within a segment of the path, `**` does not (and `/**/` also stands for a single slash), `?` is one
/// character; there is no escape. A pattern with `@` matches abstract names only, one with a slash paths only.
public struct PathPattern: Hashable, Sendable {
    public let text: String
    private let isAbstract: Bool
    private let wildcards: Wildcards

    /// - Throws: If it begins with neither a slash nor `@`, or can match no path as the kernel writes it.
    public init(_ text: String) throws(PolicyRuleError) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, first == .slash || first == .atSign else {
            throw PolicyRuleError("A path pattern begins with \"/\", or with \"@\" for abstract names.", member: .path)
        }
        guard bytes.count <= UnixAddress.limitBytes, !bytes.contains(0) else {
            throw PolicyRuleError(
                "A path pattern has at most \(UnixAddress.limitBytes) bytes, and no NUL.", member: .path)
        }
        isAbstract = first == .atSign
        guard isAbstract ? bytes.count > 1 : Self.isPlain(bytes) else {
            throw PolicyRuleError(
                "A path pattern has no empty segment, no \".\" and no \"..\", and no name is empty.", member: .path)
        }
        self.text = text
        wildcards = Wildcards(isAbstract ? Array(bytes.dropFirst()) : bytes, separator: .slash)
    }

    public func matches(_ address: UnixAddress) -> Bool {
        switch address {
        case .path(let bytes): !isAbstract && wildcards.matches(bytes)
        case .abstract(let bytes): isAbstract && wildcards.matches(bytes)
        }
    }

    /// Whether it stands for more than one socket.
    public var hasWildcards: Bool { wildcards.hasWildcards }

    private static func isPlain(_ path: [UInt8]) -> Bool {
        path.dropFirst().split(separator: .slash, omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.elementsEqual([.dot]) && !$0.elementsEqual([.dot, .dot])
        }
    }
}
