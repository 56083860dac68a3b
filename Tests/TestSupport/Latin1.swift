/// Bytes as letters of Latin-1: each byte is one letter, and none is lost.
public enum Latin1 {
    public static func text(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.reduce(into: "") { $0.unicodeScalars.append(UnicodeScalar($1)) }
    }

    public static func bytes(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }
}
