/// What Go's yaml.v3 makes of a scalar for a field of a given type.
extension YAMLScalar {
    /// `key:` with nothing after it, or `~`: the key keeps its default.
    var isNull: Bool { kind == .null }

    /// The text for a field that is a string: any scalar as it was written, `!!binary` decoded.
    func goBytes() throws(ValueRefusal) -> [UInt8] {
        switch tag {
        case "!!binary":
            guard let bytes = Base64.decode(text) else { throw ValueRefusal(sentence: "is not valid base64") }
            return bytes
        case "!!int", "!!float", "!!bool", "!!timestamp", "!!null":
            try requireTagFits()
            return Array(text.utf8)
        case _: return Array(text.utf8)
        }
    }

    /// The value for a field that is a Boolean: `true` and `false` without quotes, the words of YAML 1.1 with or without.
    func goBoolean() throws(ValueRefusal) -> Bool {
        let isText = tag == "!!str" || tag == nil && !isPlain
        switch text {
        case "true", "True", "TRUE": if !isText, tag == nil || tag == "!!bool" { return true }
        case "false", "False", "FALSE": if !isText, tag == nil || tag == "!!bool" { return false }
        case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON": if tag != "!!bool" { return true }
        case "n", "N", "no", "No", "NO", "off", "Off", "OFF": if tag != "!!bool" { return false }
        case _: break
        }
        throw ValueRefusal(sentence: "must be true or false without quotes, got \(words)")
    }

    private func requireTagFits() throws(ValueRefusal) {
        let kind = YAMLScalar(text: text, isPlain: true).kind
        let fits =
            switch (tag, kind) {
            case ("!!bool", .boolean): ["true", "false"].contains(text.lowercased())
            case ("!!int", .integer), ("!!int", .otherNumber), ("!!float", .integer), ("!!float", .otherNumber): true
            case ("!!timestamp", .otherNumber): text.contains("-")
            case _: false
            }
        guard fits else { throw ValueRefusal(sentence: "has the tag \(tag ?? ""), got \(words)") }
    }

    private var words: String { YAMLNode(content: .scalar(self), position: TextPosition(line: 1, column: 1)).words }
}

/// Base64 with padding, as `!!binary` has it. White space between its lines is skipped.
private enum Base64 {
    static func decode(_ text: String) -> [UInt8]? {
        let symbols = text.utf8.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        guard symbols.count % 4 == 0 else { return nil }
        let padding = symbols.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        for (index, symbol) in symbols.enumerated() {
            let isPadding = index >= symbols.count - padding
            guard let value = isPadding ? 0 : value(of: symbol) else { return nil }
            bits = bits << 6 | value
            if index % 4 == 3 {
                bytes += [
                    UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8),
                    UInt8(truncatingIfNeeded: bits),
                ]
            }
        }
        return Array(bytes.dropLast(padding))
    }

    private static func value(of symbol: UInt8) -> UInt32? {
        switch symbol {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(symbol - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(symbol - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(symbol - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        case _: nil
        }
    }
}

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
