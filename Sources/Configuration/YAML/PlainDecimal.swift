/// Whole numbers as every key takes them, in the file and in the environment.
enum PlainDecimal {
    /// Reads `0`, `17`, `-3`: digits without a leading zero, a plus or blanks, within Int; nil for anything else.
    static func read(_ text: some StringProtocol) -> Int? {
        let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
        guard let first = digits.first, digits.allSatisfy(isDigit) else { return nil }
        guard first != UInt8(ascii: "0") || text.utf8.count == 1 else { return nil }
        return Int(text)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
