/// A file that holds one key of TCP_MD5SIG (tcp(7)), and nothing else but one line end behind it.
struct MD5KeyFile {
    /// TCP_MD5SIG_MAXKEYLEN.
    static let maximumKeyBytes = 80

    let key: Secret
    let warnings: [String]

    init(_ reference: FileReference) throws(ValueRefusal) {
        let file = try BoundedFile(path: reference.path)
        let bytes = Self.withoutLineEnd(file.bytes)
        guard !bytes.isEmpty else { throw ValueRefusal("is empty: it has to hold a key") }
        guard bytes.count <= Self.maximumKeyBytes else {
            throw ValueRefusal("holds a key of \(bytes.count) bytes; TCP_MD5SIG takes \(Self.maximumKeyBytes) at most")
        }
        key = Secret(bytes)
        warnings = file.isWorldReadable ? [FileWarning.worldReadable(reference)] : []
    }

    private static func withoutLineEnd(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard bytes.last == 0x0A else { return bytes[...] }
        let line = bytes.dropLast()
        return line.last == 0x0D ? line.dropLast() : line
    }
}

/// What is odd about a file, but no reason to stop.
enum FileWarning {
    static func worldReadable(_ reference: FileReference) -> String {
        "\(reference.key): everybody on this machine can read \(Quote.file(reference.path)); chmod 600 keeps it secret"
    }
}
