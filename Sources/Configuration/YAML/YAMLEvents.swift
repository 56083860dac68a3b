import CYAML

/// What libyaml sees one after another in a document.
enum YAMLEvent {
    case streamStart, streamEnd, documentEnd
    /// - Parameter version: the minor version of YAML 1 where a `%YAML` directive states one.
    case documentStart(version: Int?)
    case alias(name: String)
    case scalar(YAMLScalar, YAMLProperties)
    case sequenceStart(YAMLProperties)
    case sequenceEnd
    case mappingStart(YAMLProperties)
    case mappingEnd
}

/// What may stand before a node: `&anchor` and `!tag`.
struct YAMLProperties {
    let anchor: String?
    let tag: String?
}

/// Why a text cannot be read.
struct YAMLSyntaxError: Error {
    let position: TextPosition
    let reason: String
    /// The text is not YAML, and `reason` says why in libyaml's words.
    var isOfSyntax = true
}

/// libyaml's parser over bytes in memory, yaml_parser_parse.
///
/// It is lent for the time of a closure: the parser holds a pointer into the bytes, and one to itself, so it never moves.
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeBufferPointer<UInt8>

    /// - Parameter bytes: Valid UTF-8. They have to outlive this value.
    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        parser = .allocate(capacity: 1)
        // It fails only for want of memory, where Swift itself would trap.
        precondition(yaml_parser_initialize(parser) == 1, "libyaml found no memory")
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// Lends a parser of the bytes to the closure.
    static func parsing<Result>(_ bytes: [UInt8], _ body: (borrowing YAMLEvents) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            let events = YAMLEvents(buffer)
            return body(events)
        }
    }

    /// The next event and where it begins. After an error or the end of the stream it must not be called again.
    func next() throws(YAMLSyntaxError) -> (event: YAMLEvent, position: TextPosition) {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError }
        defer { yaml_event_delete(&event) }
        return (YAMLEvent(event), TextPosition(event.start_mark))
    }

    private var syntaxError: YAMLSyntaxError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "unreadable"
        let context = parser.pointee.context.map { " " + String(cString: $0) } ?? ""
        return YAMLSyntaxError(position: problemPosition, reason: problem + context)
    }

    /// Of a character that may not stand in YAML, libyaml knows the offset alone.
    private var problemPosition: TextPosition {
        guard parser.pointee.error == YAML_READER_ERROR else { return TextPosition(parser.pointee.problem_mark) }
        let before = bytes.prefix(parser.pointee.problem_offset)
        let line = before.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).last ?? before
        return TextPosition(
            line: before.count { $0 == UInt8(ascii: "\n") } + 1,
            column: String(decoding: line, as: UTF8.self).unicodeScalars.count + 1)
    }
}

extension TextPosition {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}

extension YAMLEvent {
    fileprivate init(_ event: yaml_event_t) {
        switch event.type {
        case YAML_STREAM_START_EVENT: self = .streamStart
        case YAML_DOCUMENT_START_EVENT:
            self = .documentStart(version: event.data.document_start.version_directive.map { Int($0.pointee.minor) })
        case YAML_DOCUMENT_END_EVENT: self = .documentEnd
        case YAML_ALIAS_EVENT: self = .alias(name: text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            self = .scalar(
                YAMLScalar(
                    text: String(decoding: bytes, as: UTF8.self), isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE),
                YAMLProperties(anchor: text(scalar.anchor), tag: shortTag(scalar.tag)))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            self = .sequenceStart(YAMLProperties(anchor: text(start.anchor), tag: shortTag(start.tag)))
        case YAML_SEQUENCE_END_EVENT: self = .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            self = .mappingStart(YAMLProperties(anchor: text(start.anchor), tag: shortTag(start.tag)))
        case YAML_MAPPING_END_EVENT: self = .mappingEnd
        default: self = .streamEnd
        }
    }
}

private func text(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? {
    bytes.map { String(cString: $0) }
}

/// `!!str` for `tag:yaml.org,2002:str`, other tags as they are; nil for `!`, which asks for nothing.
private func shortTag(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? {
    guard let tag = text(bytes), tag != "!" else { return nil }
    let prefix = "tag:yaml.org,2002:"
    return tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.utf8.count) : tag
}

/// A place in a text file; line and column count from 1, columns in characters.
package struct TextPosition: Hashable, Comparable, Sendable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}
