internal import CYAML

/// An event of libyaml's parser.
enum YAMLEvent {
    case streamStart, streamEnd, documentEnd
    /// - Parameter version: The minor version of YAML 1 in a `%YAML` directive, if any.
    case documentStart(version: Int?)
    case alias(name: String)
    case scalar(YAMLScalar, YAMLProperties)
    case sequenceStart(YAMLProperties)
    case sequenceEnd
    case mappingStart(YAMLProperties)
    case mappingEnd
}

/// The properties of a node: `&anchor` and `!tag`.
struct YAMLProperties {
    let anchor: String?
    let tag: String?
}

/// The reason why a text cannot be parsed.
struct YAMLSyntaxError: Error {
    let position: TextPosition
    let reason: String
    /// Whether the text is not valid YAML. Then `reason` is libyaml's message.
    var isOfSyntax = true
}

/// libyaml's parser of bytes in memory: yaml_parser_parse.
///
/// It exists only during a closure. The parser has pointers to the bytes and to itself, so it must not move.
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeBufferPointer<UInt8>
    /// Whether libyaml had the memory for its parser.
    private let isReady: Bool

    /// - Parameter bytes: Valid UTF-8, which must outlive this value.
    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        parser = .allocate(capacity: 1)
        isReady = yaml_parser_initialize(parser) == 1
        guard isReady else { return }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        if isReady { yaml_parser_delete(parser) }
        parser.deallocate()
    }

    /// Calls the closure with a parser of the bytes.
    static func parsing<Result>(_ bytes: [UInt8], _ body: (borrowing YAMLEvents) -> Result) -> Result {
        bytes.withUnsafeBufferPointer { buffer in
            let events = YAMLEvents(buffer)
            return body(events)
        }
    }

    /// The next event and its start position. Do not call it again after an error or the end of the stream.
    func next() throws(YAMLSyntaxError) -> (event: YAMLEvent, position: TextPosition) {
        guard isReady else { throw Self.noMemory }
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError }
        defer { yaml_event_delete(&event) }
        return (YAMLEvent(event), TextPosition(event.start_mark))
    }

    private static let noMemory = YAMLSyntaxError(
        position: TextPosition(line: 1, column: 1), reason: "cannot be read: no memory is left", isOfSyntax: false)

    private var syntaxError: YAMLSyntaxError {
        if parser.pointee.error == YAML_MEMORY_ERROR { return Self.noMemory }
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "unreadable"
        let context = parser.pointee.context.map { " " + String(cString: $0) } ?? ""
        return YAMLSyntaxError(position: problemPosition, reason: problem + context)
    }

    /// For a character that YAML does not allow, libyaml reports only the offset.
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

/// `!!str` for `tag:yaml.org,2002:str`, other tags unchanged; nil for `!`, which has no effect.
private func shortTag(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? {
    guard let tag = text(bytes), tag != "!" else { return nil }
    let prefix = "tag:yaml.org,2002:"
    return tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.utf8.count) : tag
}

/// A position in a text file. Line and column start at 1; columns count characters.
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
