/// Durations as Go writes them: `1m30s`, `1.5h`, `100ms`.
enum GoDuration {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    /// Nanoseconds, as Go's `time.ParseDuration`.
    static func nanoseconds(_ text: String) throws(ValueRefusal) -> Int64 {
        let isNegative = text.hasPrefix("-")
        var rest = isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]
        if rest == "0" { return 0 }
        var sum = 0.0
        guard !rest.isEmpty else { throw refusal }
        while !rest.isEmpty { sum += try takePart(&rest) }
        guard sum < 9.2e18 else { throw ValueRefusal("is longer than 292 years") }
        return isNegative ? -Int64(sum) : Int64(sum)
    }

    private static func takePart(_ rest: inout Substring) throws(ValueRefusal) -> Double {
        let number = rest.prefix { $0 == "." || ("0"..."9").contains($0) }
        rest = rest[number.endIndex...]
        let unit = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
        rest = rest[unit.endIndex...]
        guard number.contains(where: { $0 != "." }), number.count(where: { $0 == "." }) <= 1,
            let value = Double(
                number.hasPrefix(".") ? "0\(number)" : number.hasSuffix(".") ? "\(number)0" : "\(number)"),
            let factor = units.first(where: { $0.name == unit })?.nanoseconds
        else { throw refusal }
        return value * factor
    }

    private static var refusal: ValueRefusal {
        ValueRefusal("is not a duration: write 5s, 1m30s or 500ms")
    }
}
