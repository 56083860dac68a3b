/// A tag of XML, from `<` to `>`.
struct XMLTag {
    /// With its prefix.
    private(set) var name = ""
    private(set) var isEnd = false
    private(set) var closesItself = false
    /// What `xmlns` attributes declare, by prefix; without one by the empty text.
    private(set) var namespaces: [String: String] = [:]

    /// Where the tag at the front ends: a `>` outside of quotes.
    static func end(in bytes: ArraySlice<UInt8>) -> Int? {
        var quote: UInt8?
        return bytes.firstIndex { byte in
            if let open = quote {
                if byte == open { quote = nil }
                return false
            }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { quote = byte }
            return byte == UInt8(ascii: ">")
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// - Parameter bytes: from `<` to `>`.
    /// - Returns: nil where it is no tag.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes.dropFirst().dropLast()
        guard !rest.contains(UInt8(ascii: "<")) else { return nil }
        if rest.first == UInt8(ascii: "/") {
            isEnd = true
            rest = rest.dropFirst()
        } else if rest.last == UInt8(ascii: "/") {
            closesItself = true
            rest = rest.dropLast()
        }
        name = Self.takeWord(&rest)
        guard !name.isEmpty else { return nil }
        while true {
            rest = rest.drop(while: Self.isSpace)
            if rest.isEmpty { return }
            guard !isEnd, let attribute = Self.takeAttribute(&rest) else { return nil }
            if attribute.name == "xmlns" { namespaces[""] = attribute.value }
            if attribute.name.hasPrefix("xmlns:") { namespaces[String(attribute.name.dropFirst(6))] = attribute.value }
        }
    }

    private static func takeAttribute(_ rest: inout ArraySlice<UInt8>) -> (name: String, value: String)? {
        let name = takeWord(&rest)
        rest = rest.drop(while: isSpace)
        guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "=") else { return nil }
        rest = rest.drop(while: isSpace)
        guard
            let quote = rest.popFirst(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
            let end = rest.firstIndex(of: quote)
        else { return nil }
        let value = String(decoding: rest[..<end], as: UTF8.self)
        rest = rest[(end + 1)...]
        return (name, value)
    }

    private static func takeWord(_ rest: inout ArraySlice<UInt8>) -> String {
        let word = rest.prefix { byte in
            !isSpace(byte) && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "/") && byte != UInt8(ascii: "\"")
                && byte != UInt8(ascii: "'")
        }
        rest = rest.dropFirst(word.count)
        return String(decoding: word, as: UTF8.self)
    }
}
