@testable internal import HTTPServer

/// Heads of HTTP requests, as they come from a client.
enum HeadFuzz {
    /// More bytes do not change what was found. A complete head is one that a simple reader takes too, and the later checks
    /// find the same framing in it.
    static func run(_ bytes: [UInt8]) {
        var scan = HeadScan()
        let verdict = bytes.withUnsafeBufferPointer { scan.scan($0) }
        for count in [bytes.count / 3, bytes.count / 2, bytes.count - 1] where count > 0 {
            comparePrefix(bytes, count, verdict, scan)
        }
        switch verdict {
        case .incomplete: expect(bytes.count < HeadScan.mostBytes, "a head without a limit is waited for")
        case .refused(let refusal):
            expect([400, 414, 431, 505].contains(refusal.status), "another status")
            expectMessage(refusal.detail)
        case .complete: checkComplete(Array(bytes.prefix(scan.length)), scan)
        }
        judgeParts(bytes)
    }

    private static func comparePrefix(_ bytes: [UInt8], _ count: Int, _ whole: HeadScan.Verdict, _ scan: HeadScan) {
        var partial = HeadScan()
        switch bytes.withUnsafeBufferPointer({ partial.scan(UnsafeBufferPointer(rebasing: $0[..<count])) }) {
        case .incomplete: expect(whole != .complete || scan.length > count, "a complete head was waited for")
        case .refused:
            // With the end of its line, the reason may be another one.
            if case .refused = whole { return }
            fatalError("more bytes undo a refusal")
        case .complete: expect(whole == .complete && scan.length == partial.length, "more bytes change a head")
        }
    }

    // MARK: Complete heads

    private static func checkComplete(_ head: [UInt8], _ scan: HeadScan) {
        expect(head.count == scan.length && scan.length <= HeadScan.mostBytes, "a head without bounds")
        expect(scan.fieldCount + scan.argumentCount <= HeadScan.mostParts, "too many parts")
        expect(!scan.isChunked || scan.contentLength == nil, "two framings")
        let reference = HeadReference(head)
        expect(reference.fields.count == scan.fieldCount, "another number of fields")
        expect(reference.values(of: "host").count <= 1, "two hosts")
        expect(reference.values(of: "content-length").count == (scan.contentLength == nil ? 0 : 1), "another length")
        if let length = scan.contentLength {
            expect(
                reference.values(of: "content-length").compactMap { UInt64(String(decoding: $0, as: UTF8.self)) } == [
                    length
                ], "another length")
        }
        expect(reference.values(of: "transfer-encoding").count == (scan.isChunked ? 1 : 0), "another coding")
        walk(reference, scan)
    }

    /// The fields in the library's memory, as it leaves them: two NULs end each line.
    private static func walk(_ reference: HeadReference, _ scan: HeadScan) {
        let memory: [UInt8] = reference.fields.flatMap { field -> [UInt8] in
            field.name + [0, 0x20] + field.value + [0, 0]
        }
        memory.withUnsafeBufferPointer { memory in
            guard let start = memory.baseAddress else { return }
            var walk = HeaderWalk(from: start)
            var position = 0
            for field in reference.fields {
                let name = UnsafeBufferPointer(start: start + position, count: field.name.count)
                let value = UnsafeBufferPointer(start: start + position + name.count + 2, count: field.value.count)
                guard walk.visit(name: name, value: value) else { break }
                position += name.count + 2 + value.count + 2
            }
            if let fault = walk.fault {
                expect(fault == .fieldRepeated, "a field that was accepted is refused later: \(fault)")
                return
            }
            expect(walk.contentLength == scan.contentLength && walk.isChunked == scan.isChunked, "another framing")
            compareValues(HeaderLines(bytes: memory), reference, walk)
            makeHead(reference, memory, walk)
        }
    }

    /// The lines have the same values for handlers as for a simple reader.
    private static func compareValues(_ lines: HeaderLines, _ reference: HeadReference, _ walk: HeaderWalk) {
        for name: StaticString in ["host", "content-type", "origin", "accept", "x"] {
            var position = 0
            var values: [[UInt8]] = []
            while let value = lines.nextValue(of: name, from: &position) { values.append(Array(value)) }
            expect(values == reference.values(of: "\(name)"), "other values of \(name)")
            expect(values.isEmpty || walk.names.mayContain(name), "\(name) is filtered out")
        }
    }

    private static func makeHead(
        _ reference: HeadReference, _ memory: UnsafeBufferPointer<UInt8>, _ walk: HeaderWalk
    ) {
        let source = ConnectionSource(listener: .tcp, purpose: .service, peer: .unix)
        let head = RequestHead(
            method: reference.method.withUnsafeBufferPointer { HTTPMethod($0) }, target: reference.target[...],
            headers: memory, names: walk.names, framing: .none, source: source)
        expect(Array(head.method.name.utf8) == reference.method, "another method")
        let target = head.path + (head.rawQuery.map { "?" + $0 } ?? "")
        expect(Array(target.utf8) == reference.target, "another target")
        for parameter in head.query() { expect(parameter.value?.utf8.contains(0) != true, "a NUL in a parameter") }
        expect(head.query().count <= reference.target.count + 1, "parameters without bounds")
        for segment in head.pathSegments() ?? [] { expect(!segment.utf8.contains(0), "a NUL in a segment") }
    }

    // MARK: Parts

    private static func judgeParts(_ bytes: [UInt8]) {
        let decoded = PercentCoding.decode(bytes[...], plusIsSpace: false)
        if !bytes.contains(UInt8(ascii: "%")) {
            expect(
                decoded.map { Array($0.utf8) } == (String(validating: bytes, as: UTF8.self) == nil ? nil : bytes),
                "changed")
        }
        if let decoded { expect(decoded.utf8.count <= bytes.count, "a decoded text is longer") }
        let isHost = bytes.withUnsafeBufferPointer { HostSyntax.accepts($0) }
        expect(
            !isHost || !bytes.contains { $0 <= 0x20 || "/?#@,\\\"<>".utf8.contains($0) }, "a host with other characters"
        )
    }
}

/// A reader of complete heads that knows nothing about speed or limits.
private struct HeadReference {
    let method: [UInt8]
    let target: [UInt8]
    private(set) var fields: [(name: [UInt8], value: [UInt8])] = []

    init(_ head: [UInt8]) {
        let text = head.starts(with: [13, 10]) ? Array(head.dropFirst(2)) : head
        var lines = text.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
        // After the last LF there is nothing; before it, the empty line.
        expect(lines.popLast() == [] && lines.popLast() == [13], "the head does not end in an empty line")
        expect(lines.allSatisfy { $0.last == 13 && $0.count { $0 == 13 } == 1 }, "a line does not end in CR LF")
        let words = lines[0].dropLast().split(separator: 0x20, omittingEmptySubsequences: false)
        expect(words.count == 3, "a request line of \(words.count) words")
        method = Array(words[0])
        target = Array(words[1])
        for line in lines.dropFirst().map({ $0.dropLast() }) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
                fatalError("a line without a name")
            }
            let blanks: [UInt8] = [0x20, 0x09]
            let value = line[(colon + 1)...].drop { blanks.contains($0) }
            let end = value.lastIndex { !blanks.contains($0) }.map { $0 + 1 } ?? value.startIndex
            fields.append((Array(line[..<colon]), Array(value[..<end])))
        }
    }

    func values(of name: String) -> [[UInt8]] {
        fields.filter { String(decoding: $0.name, as: UTF8.self).lowercased() == name }
            .map(\.value)
    }
}
