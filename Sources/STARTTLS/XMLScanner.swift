/// Splits an XML stream into elements with their names and namespaces, as far as XMPP needs it (RFC 6120, 11).
///
/// Comments, processing instructions, CDATA, text and the values of attributes are skipped, whatever they contain.
/// Depth and tag length are limited. A document type is rejected, so there are no entities.
struct XMLScanner {
    struct Name: Equatable, Sendable {
        let namespace: String
        let local: String
    }

    enum Event: Equatable, Sendable {
        case opened(Name)
        case closed(Name)
        /// No part of an element was taken.
        case passed
        case incomplete
        case malformed
    }

    private struct Element {
        let name: Name
        /// With its prefix, which its end tag must repeat.
        let written: String
        let namespaces: [String: String]
    }

    private static let maximumDepth = 32

    private var open: [Element] = []
    /// Whether the latest tag was self-closing.
    private var closesItself = false

    /// The number of open elements.
    var depth: Int { open.count }

    /// Takes the next event from the front.
    mutating func next(_ received: inout ArraySlice<UInt8>) -> Event {
        if closesItself {
            closesItself = false
            return close()
        }
        guard let first = received.first else { return .incomplete }
        guard first == UInt8(ascii: "<") else { return text(&received) }
        guard let second = received.dropFirst().first else { return .incomplete }
        switch second {
        case UInt8(ascii: "?"): return Self.pass(&received, through: "?>")
        case UInt8(ascii: "!"): return declaration(&received)
        case _: return tag(&received)
        }
    }

    private func text(_ received: inout ArraySlice<UInt8>) -> Event {
        let text = received.prefix { $0 != UInt8(ascii: "<") }
        // Only white space is allowed outside of elements.
        guard depth > 0 || text.allSatisfy(XMLTag.isSpace) else { return .malformed }
        received = received.dropFirst(text.count)
        return .passed
    }

    private func declaration(_ received: inout ArraySlice<UInt8>) -> Event {
        for (begin, end) in [("<!--", "-->"), ("<![CDATA[", "]]>")] {
            if received.starts(with: begin.utf8) {
                var rest = received.dropFirst(begin.utf8.count)
                let event = Self.pass(&rest, through: end)
                if event == .passed { received = rest }
                return event
            }
            if begin.utf8.starts(with: received) { return .incomplete }
        }
        return .malformed
    }

    private static func pass(_ received: inout ArraySlice<UInt8>, through end: String) -> Event {
        guard let found = received.firstRange(of: Array(end.utf8)) else {
            return received.count > StartTLSLimits.lineBytes ? .malformed : .incomplete
        }
        received = received[found.upperBound...]
        return .passed
    }

    private mutating func tag(_ received: inout ArraySlice<UInt8>) -> Event {
        guard let end = XMLTag.end(in: received) else {
            return received.count > StartTLSLimits.lineBytes ? .malformed : .incomplete
        }
        let bytes = received[...end]
        guard bytes.count <= StartTLSLimits.lineBytes, let tag = XMLTag(bytes) else { return .malformed }
        received = received[(end + 1)...]
        if tag.isEnd { return tag.name == open.last?.written ? close() : .malformed }
        guard depth < Self.maximumDepth, let name = name(of: tag) else { return .malformed }
        open.append(Element(name: name, written: tag.name, namespaces: tag.namespaces))
        closesItself = tag.closesItself
        return .opened(name)
    }

    private mutating func close() -> Event {
        open.popLast().map { .closed($0.name) } ?? .malformed
    }

    /// Namespaces in XML 1.0, 5 and 6: the innermost declaration of the prefix applies.
    private func name(of tag: XMLTag) -> Name? {
        let parts = tag.name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let prefix = parts.count == 2 ? String(parts[0]) : ""
        let declared =
            tag.namespaces[prefix] ?? open.reversed().lazy.compactMap { $0.namespaces[prefix] }.first
        guard let namespace = declared ?? (prefix.isEmpty ? "" : nil) else { return nil }
        return Name(namespace: namespace, local: String(parts[parts.count - 1]))
    }
}

/// A tag of XML, from `<` to `>`.
struct XMLTag {
    /// With its prefix.
    private(set) var name = ""
    private(set) var isEnd = false
    private(set) var closesItself = false
    /// The namespaces of `xmlns` attributes by prefix; the default namespace has an empty prefix.
    private(set) var namespaces: [String: String] = [:]

    /// The end of the tag at the front: a `>` outside of quotes.
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
    /// - Returns: nil if it is not a tag.
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
