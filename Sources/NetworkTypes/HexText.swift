/// Bytes and numbers in hexadecimal digits.
public enum HexText {
    /// Two lowercase digits for each byte.
    public static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(unsafeUninitializedCapacity: 2 * bytes.count) { buffer in
            var position = 0
            for byte in bytes {
                buffer[position] = digit(byte >> 4)
                buffer[position + 1] = digit(byte & 15)
                position += 2
            }
            return position
        }
    }

    public static func text(_ bytes: [UInt8]) -> String { text(bytes[...]) }

    /// A version of QUIC, such as `0x00000001`.
    public static func version(_ version: UInt32) -> String {
        let digits = String(version, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}
