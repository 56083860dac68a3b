internal import CLinux

/// Reads a request's head in the kernel's buffer, before the library does. It finds the head's end, checks its form,
/// and counts what needs the library's memory.
///
/// A malformed head gets a problem from connectd. A well-formed head is checked again after the library has parsed it
/// (`HeadJudge`), because handlers see what the library parsed.
struct HeadScan {
    enum Verdict: Equatable {
        /// The end of the head has not arrived yet.
        case incomplete
        case refused(HeadRefusal)
        case complete
    }

    /// From the first byte to the end of the empty line.
    private(set) var length = 0
    private(set) var fieldCount = 0
    private(set) var argumentCount = 0
    /// nil without a body, and for a chunked body.
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var expectsContinue = false
    private(set) var isHead = false

    private var hasHost = false
    private var isOld = false

    /// The longest head, in bytes, and the limit for header fields and query arguments together. Both need memory.
    static let mostBytes = 16 << 10
    static let mostParts = 1500

    /// Checks the bytes that have arrived.
    /// - Parameter bytes: from the first byte of the request. Bytes after the head are ignored.
    mutating func scan(_ bytes: UnsafeBufferPointer<UInt8>) -> Verdict {
        guard let start = bytes.baseAddress else { return .incomplete }
        // One empty line before a request is tolerated (RFC 9112, section 2.2).
        var position = bytes.count >= 2 && bytes[0] == Self.carriageReturn && bytes[1] == Self.lineFeed ? 2 : 0
        var isFirst = true
        while let found = memchr(start + position, Int32(Self.lineFeed), bytes.count - position) {
            let end = UnsafeRawPointer(found) - UnsafeRawPointer(start)
            guard end < Self.mostBytes else { return .refused(isFirst ? .target : .fields) }
            guard end > position, bytes[end - 1] == Self.carriageReturn else { return .refused(.fault(.lineEnding)) }
            let line = UnsafeBufferPointer(rebasing: bytes[position..<end - 1])
            position = end + 1
            if line.isEmpty, !isFirst {
                length = position
                return conclude()
            }
            if let refusal = isFirst ? readRequestLine(line) : readField(line) { return .refused(refusal) }
            isFirst = false
            guard fieldCount + argumentCount <= Self.mostParts else {
                return .refused(argumentCount > fieldCount ? .target : .fields)
            }
        }
        guard bytes.count < Self.mostBytes else { return .refused(isFirst ? .target : .fields) }
        // Clients of other protocols are refused at once, without waiting for the timeout of heads.
        if isFirst, position < bytes.count, !mayBecomeRequestLine(bytes[position...]) {
            return .refused(.fault(.method))
        }
        return .incomplete
    }

    /// Whether the bytes look like the beginning of a request.
    static func looksLikeRequest(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.isEmpty || HeadScan().mayBecomeRequestLine(bytes[...])
    }

    private static let carriageReturn: UInt8 = 13
    private static let lineFeed: UInt8 = 10

    private func mayBecomeRequestLine(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard let first = bytes.first(where: { !ASCII.isToken($0) }) else { return true }
        return first == UInt8(ascii: " ") && ASCII.isToken(bytes[bytes.startIndex]) || first == Self.carriageReturn
    }

    private mutating func readRequestLine(_ line: UnsafeBufferPointer<UInt8>) -> HeadRefusal? {
        let space = ASCII.tokenLength(line)
        guard space > 0, space < line.count, line[space] == UInt8(ascii: " ") else { return .fault(.method) }
        guard let last = line.lastIndex(of: UInt8(ascii: " ")), last > space + 1 else { return .fault(.target) }
        let target = UnsafeBufferPointer(rebasing: line[(space + 1)..<last])
        guard target.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return .fault(.target) }
        let version = UnsafeBufferPointer(rebasing: line[(last + 1)...])
        guard version.count == 8, ASCII.equal(UnsafeBufferPointer(rebasing: version[..<5]), "HTTP/"),
            ASCII.isDigit(version[5]), version[6] == UInt8(ascii: "."), ASCII.isDigit(version[7])
        else { return .fault(.version) }
        guard version[5] == UInt8(ascii: "1"), version[7] <= UInt8(ascii: "1") else { return .version }
        isOld = version[7] == UInt8(ascii: "0")
        isHead = ASCII.equal(UnsafeBufferPointer(rebasing: line[..<space]), "HEAD")
        if let query = target.firstIndex(of: UInt8(ascii: "?")) {
            argumentCount = target[query...].reduce(1) { $1 == UInt8(ascii: "&") ? $0 + 1 : $0 }
        }
        return nil
    }

    private mutating func readField(_ line: UnsafeBufferPointer<UInt8>) -> HeadRefusal? {
        fieldCount += 1
        guard let first = line.first, !ASCII.isBlank(first) else { return .fault(.lineEnding) }
        let colon = ASCII.tokenLength(line)
        guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else { return .fault(.headerName) }
        let value = UnsafeBufferPointer(rebasing: line[(colon + 1)...])
        guard ASCII.areFieldValue(value) else {
            let hasBrokenLine = value.contains { $0 == 0 || $0 == Self.carriageReturn }
            return .fault(hasBrokenLine ? .lineEnding : .headerValue)
        }
        switch colon {
        case 4, 6, 14, 17: return readMeaning(UnsafeBufferPointer(rebasing: line[..<colon]), value)
        case _: return nil
        }
    }

    private mutating func readMeaning(
        _ name: UnsafeBufferPointer<UInt8>, _ field: UnsafeBufferPointer<UInt8>
    ) -> HeadRefusal? {
        // Blanks after a length or a transfer coding are legal, but the library would not recognize the value.
        let start = field.firstIndex { !ASCII.isBlank($0) } ?? field.endIndex
        let value = UnsafeBufferPointer(rebasing: field[start...])
        if HeaderWalk.equal(name, "host") {
            guard !hasHost else { return .fault(.hostRepeated) }
            hasHost = true
        } else if HeaderWalk.equal(name, "expect") {
            expectsContinue = true
        } else if HeaderWalk.equal(name, "content-length") {
            guard contentLength == nil else { return .fault(.lengthRepeated) }
            guard let count = HeaderWalk.number(value) else { return .fault(.lengthMalformed) }
            contentLength = count
        } else if HeaderWalk.equal(name, "transfer-encoding") {
            guard !isChunked, HeaderWalk.equal(value, "chunked") else { return .fault(.codingUnknown) }
            isChunked = true
        }
        return nil
    }

    private func conclude() -> Verdict {
        if isChunked, contentLength != nil { return .refused(.fault(.codingAndLength)) }
        if isChunked, isOld { return .refused(.fault(.codingInOldVersion)) }
        return hasHost || isOld ? .complete : .refused(.fault(.hostMissing))
    }
}

/// Why a head is refused before the library sees it.
enum HeadRefusal: Equatable {
    case fault(HeadFault)
    /// The request line, or its query, is too long.
    case target
    /// The header fields are too long, or too many.
    case fields
    /// Well formed, but neither 1.0 nor 1.1.
    case version

    var status: Int {
        switch self {
        case .fault: 400
        case .target: 414
        case .fields: 431
        case .version: 505
        }
    }

    var detail: String {
        switch self {
        case .fault(let fault): fault.rawValue
        case .target:
            "The request line is too long: a head may have 16 KiB, and \(HeadScan.mostParts) fields and query arguments."
        case .fields:
            "The header fields are too large: a head may have 16 KiB, and \(HeadScan.mostParts) fields and query arguments."
        case .version: HeadFault.version.rawValue
        }
    }
}
