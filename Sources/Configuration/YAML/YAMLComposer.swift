/// Makes the tree of a document: one document, 16 levels at most. Aliases and merge keys are replaced by what they stand for.
struct YAMLComposer: ~Copyable {
    /// What a file may hold.
    enum Dialect {
        /// connectd's own files: one document, no tags.
        case own
        /// Modules files, as blackbox_exporter reads them (Go's yaml.v3): tags, and nothing after the first document counts.
        case go
    }

    /// Deeper than any key needs; it bounds the recursion.
    static let maximumDepth = 16
    /// What aliases may add to a file, in bytes of text and nodes: as much as a file may hold.
    static let maximumExpansion = BoundedFile.maximumBytes

    private let file: String
    private let dialect: Dialect
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [String] = []
    private var anchors: [String: Anchor] = [:]
    private var expansion = 0

    /// A node with its size after all aliases in it were replaced.
    private struct Sized {
        let node: YAMLNode
        var weight: Int
        var height = 1
    }

    private enum Anchor {
        /// Its node is not complete yet.
        case open
        case complete(Sized)
    }

    init(file: String, dialect: Dialect = .own) {
        self.file = file
        self.dialect = dialect
    }

    /// The root of the document; nil for an empty one, and where a problem was found that leaves nothing to read.
    mutating func compose(_ bytes: [UInt8]) -> YAMLNode? {
        if let line = firstInvalidLine(bytes) {
            report("is not UTF-8 text", at: TextPosition(line: line, column: 1))
            return nil
        }
        return YAMLEvents.parsing(bytes) { events -> YAMLNode? in
            do throws(YAMLSyntaxError) {
                let root: YAMLNode? = try readStream(events)
                return root
            } catch {
                report(error.isOfSyntax ? "is not YAML: \(error.reason)" : error.reason, at: error.position)
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
            case .streamStart: continue
            case .documentEnd where dialect == .go:
                noteRest(events)
                return root
            case .documentEnd: continue
            case .streamEnd: return root
            case .documentStart(let version):
                documents += 1
                if documents > 1 {
                    report("a second document begins here; write one document per file", at: position)
                    return root
                }
                if dialect == .go, let version, version != 1 {
                    report("%YAML 1.\(version) is not supported; write %YAML 1.1, or remove the line", at: position)
                    return nil
                }
            case .alias, .scalar, .sequenceStart, .sequenceEnd, .mappingStart, .mappingEnd:
                root = try node(event, position, events, depth: 1).node
            }
        }
    }

    /// blackbox_exporter does not even parse what follows the first document.
    private mutating func noteRest(_ events: borrowing YAMLEvents) {
        var line: Int?
        do throws(YAMLSyntaxError) {
            let (event, position) = try events.next()
            if case .documentStart = event { line = position.line }
        } catch {
            line = error.position.line
        }
        if let line { warnings.append("\(Quote.plain(file)):\(line): only the first document of the file is read") }
    }

    private mutating func node(
        _ event: YAMLEvent, _ position: TextPosition, _ events: borrowing YAMLEvents, depth: Int
    ) throws(YAMLSyntaxError) -> Sized {
        guard depth <= Self.maximumDepth else { throw Self.tooDeep(position) }
        switch event {
        case .alias(let name):
            return try aliased(name, position, depth: depth)
        case .scalar(var scalar, let properties):
            scalar.tag = properties.tag
            let content: YAMLNode.Content = accepts(properties, position) ? .scalar(scalar) : .refused
            return noted(
                Sized(node: YAMLNode(content: content, position: position), weight: 1 + scalar.text.utf8.count),
                properties)
        case .sequenceStart(let properties):
            openAnchor(properties)
            var sized = try sequence(events, position, depth: depth)
            if !accepts(properties, position) { sized = Self.refused(position) }
            return noted(sized, properties)
        case .mappingStart(let properties):
            openAnchor(properties)
            var sized = try mapping(events, position, depth: depth)
            if !accepts(properties, position) { sized = Self.refused(position) }
            return noted(sized, properties)
        case .streamStart, .streamEnd, .documentStart, .documentEnd, .sequenceEnd, .mappingEnd:
            throw YAMLSyntaxError(position: position, reason: "a value is missing")
        }
    }

    private static func refused(_ position: TextPosition) -> Sized {
        Sized(node: YAMLNode(content: .refused, position: position), weight: 1)
    }

    private static func tooDeep(_ position: TextPosition) -> YAMLSyntaxError {
        YAMLSyntaxError(position: position, reason: "more than \(maximumDepth) levels")
    }

    private mutating func openAnchor(_ properties: YAMLProperties) {
        if let name = properties.anchor { anchors[name] = .open }
    }

    private mutating func noted(_ sized: Sized, _ properties: YAMLProperties) -> Sized {
        if let name = properties.anchor { anchors[name] = .complete(sized) }
        return sized
    }

    /// What an alias stands for. All aliases of a file together may add only so much: a few lines could hold billions of nodes.
    private mutating func aliased(
        _ name: String, _ position: TextPosition, depth: Int
    ) throws(YAMLSyntaxError) -> Sized {
        switch anchors[name] {
        case nil:
            throw YAMLSyntaxError(
                position: position, reason: "the alias *\(name) has no anchor &\(name) before it", isOfSyntax: false)
        case .open:
            throw YAMLSyntaxError(
                position: position, reason: "the alias *\(name) is inside its own anchor &\(name)", isOfSyntax: false)
        case .complete(let sized):
            guard depth + sized.height - 1 <= Self.maximumDepth else { throw Self.tooDeep(position) }
            expansion += sized.weight
            guard expansion <= Self.maximumExpansion else {
                throw YAMLSyntaxError(
                    position: position,
                    reason: "the aliases expand to more than 1 MiB: use fewer of them",
                    isOfSyntax: false)
            }
            return sized
        }
    }

    private mutating func sequence(
        _ events: borrowing YAMLEvents, _ start: TextPosition, depth: Int
    ) throws(YAMLSyntaxError) -> Sized {
        var items: [YAMLNode] = []
        var (weight, height) = (1, 0)
        while true {
            let (event, position) = try events.next()
            if case .sequenceEnd = event {
                return Sized(
                    node: YAMLNode(content: .sequence(items), position: start), weight: weight, height: height + 1)
            }
            let item = try node(event, position, events, depth: depth + 1)
            items.append(item.node)
            weight += item.weight
            height = max(height, item.height)
        }
    }

    private mutating func mapping(
        _ events: borrowing YAMLEvents, _ start: TextPosition, depth: Int
    ) throws(YAMLSyntaxError) -> Sized {
        var entries: [YAMLEntry] = []
        var merged: YAMLNode?
        var (weight, height) = (1, 0)
        while true {
            let (event, position) = try events.next()
            if case .mappingEnd = event {
                if let merged { merge(merged, into: &entries) }
                return Sized(
                    node: YAMLNode(content: .mapping(entries), position: start), weight: weight, height: height + 1)
            }
            let key = try node(event, position, events, depth: depth + 1)
            let (valueEvent, valuePosition) = try events.next()
            let value = try node(valueEvent, valuePosition, events, depth: depth + 1)
            weight += key.weight + value.weight
            height = max(height, key.height, value.height)
            switch key.node.content {
            case .scalar(let scalar) where scalar.isMergeKey:
                if merged != nil { report("the key << appears twice: write it once, with a list", at: position) }
                merged = value.node
            case .scalar(let scalar) where dialect == .go && scalar.kind == .null: continue
            case .scalar(let scalar): entries.append(YAMLEntry(key: scalar, position: position, value: value.node))
            case .sequence, .mapping: report("a key must be a plain word", at: position)
            case .refused: continue
            }
        }
    }

    /// Adds what `<<` stands for: keys that are not there yet, of several mappings those of the first that has them.
    private mutating func merge(_ node: YAMLNode, into entries: inout [YAMLEntry]) {
        let mappings: [YAMLNode] = if case .sequence(let items) = node.content { items } else { [node] }
        var known = Set(entries.map(\.key.text))
        for mapping in mappings {
            switch mapping.content {
            case .mapping(let added):
                for entry in added where known.insert(entry.key.text).inserted { entries.append(entry) }
            case .refused: continue
            case .scalar, .sequence:
                report("<< merges a mapping or a list of mappings, got \(mapping.words)", at: mapping.position)
            }
        }
    }

    /// Tags: none of our keys needs them, and what they do differs from one YAML reader to the next.
    private mutating func accepts(_ properties: YAMLProperties, _ position: TextPosition) -> Bool {
        guard dialect == .own, let tag = properties.tag else { return true }
        report("tags (\(tag)) are not supported: put strings in quotes, and write numbers plainly", at: position)
        return false
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

extension YAMLScalar {
    /// `<<`, and not in quotes.
    fileprivate var isMergeKey: Bool { text == "<<" && (isPlain && tag == nil || tag == "!!merge") }
}
