/// The words of a line of a configuration file.
enum Words {
    /// Splits at spaces, tabs and carriage returns; what stands behind one of `comments` is left out.
    static func of(_ line: ArraySlice<UInt8>, comments: [UInt8]) -> [String] {
        let text = line.prefix { !comments.contains($0) }
        return text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
