/// Makes the tree of a document, strictly: no anchors, aliases and tags, one document, 16 levels at most.
struct YAMLComposer: ~Copyable {
    /// Deeper than any key needs; it bounds the recursion.
    static let maximumDepth = 16

    private let file: String
    private(set) var problems: [ConfigurationProblem] = []

    init(file: String) {
        self.file = file
    }

    /// The root of the document; nil for an empty one, and where a problem was found that leaves nothing to read.
    mutating func compose(_ bytes: [UInt8]) -> YAMLNode? {
        if let line = firstInvalidLine(bytes) {
            report("is no UTF-8 text", at: TextPosition(line: line, column: 1))
            return nil
        }
        return YAMLEvents.parsing(bytes) { events -> YAMLNode? in
            do throws(YAMLSyntaxError) {
                let root: YAMLNode? = try readStream(events)
                return root
            } catch {
                report("is no YAML: \(error.reason)", at: error.position)
                return nil
            }
        }
    }

    private mutating func readStream(_ events: borrowing YAMLEvents) throws(YAMLSyntaxError) -> YAMLNode? {
        var root: YAMLNode?
        var documents = 0
        while true {
            let (event, position) = try events.next()
            switch event {
            case .streamStart, .documentEnd: continue
            case .streamEnd: return root
            case .documentStart:
                documents += 1
                if documents > 1 {
                    report("a second document begins here; a configuration file holds one", at: position)
                    return root
                }
            case .alias, .scalar, .sequenceStart, .sequenceEnd, .mappingStart, .mappingEnd:
                root = try node(event, position, events, depth: 1)
            }
        }
    }

    private mutating func node(
        _ event: YAMLEvent, _ position: TextPosition, _ events: borrowing YAMLEvents, depth: Int
    ) throws(YAMLSyntaxError) -> YAMLNode {
        guard depth <= Self.maximumDepth else {
            throw YAMLSyntaxError(position: position, reason: "more than \(Self.maximumDepth) levels")
        }
        switch event {
        case .alias(let name):
            report("aliases (*\(name)) are not taken: write the value out", at: position)
            return YAMLNode(content: .refused, position: position)
        case .scalar(let scalar, let properties):
            return YAMLNode(content: accepts(properties, position) ? .scalar(scalar) : .refused, position: position)
        case .sequenceStart(let properties):
            let items = try sequence(events, depth: depth)
            return YAMLNode(content: accepts(properties, position) ? .sequence(items) : .refused, position: position)
        case .mappingStart(let properties):
            let entries = try mapping(events, depth: depth)
            return YAMLNode(content: accepts(properties, position) ? .mapping(entries) : .refused, position: position)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            throw YAMLSyntaxError(position: position, reason: "a value is missing")
        }
    }

    private mutating func sequence(_ events: borrowing YAMLEvents, depth: Int) throws(YAMLSyntaxError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let (event, position) = try events.next()
            if case .sequenceEnd = event { return items }
            items.append(try node(event, position, events, depth: depth + 1))
        }
    }

    private mutating func mapping(_ events: borrowing YAMLEvents, depth: Int) throws(YAMLSyntaxError) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        while true {
            let (event, position) = try events.next()
            if case .mappingEnd = event { return entries }
            let key = try node(event, position, events, depth: depth + 1)
            let (valueEvent, valuePosition) = try events.next()
            let value = try node(valueEvent, valuePosition, events, depth: depth + 1)
            switch key.content {
            case .scalar(let scalar): entries.append(YAMLEntry(key: scalar, position: position, value: value))
            case .sequence, .mapping: report("a key has to be a plain word", at: position)
            case .refused: continue
            }
        }
    }

    /// Anchors and tags: nothing needs them, and what they do differs from one YAML reader to the next.
    private mutating func accepts(_ properties: YAMLProperties, _ position: TextPosition) -> Bool {
        if let anchor = properties.anchor {
            report("anchors (&\(anchor)) are not taken: write each value out", at: position)
        }
        if let tag = properties.tag {
            report("tags (\(tag)) are not taken: a text is put in quotes, a number is written plainly", at: position)
        }
        return properties.anchor == nil && properties.tag == nil
    }

    private mutating func report(_ reason: String, at position: TextPosition) {
        problems.append(ConfigurationProblem(.file(file, position), reason: reason))
    }

    private func firstInvalidLine(_ bytes: [UInt8]) -> Int? {
        guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0) + 1
    }
}
