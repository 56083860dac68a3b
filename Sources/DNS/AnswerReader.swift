internal import CAres
internal import ErrorCatalogue
internal import NetworkTypes

/// Reads the answer to one query, RFC 1035 section 4. It trusts no length, order or name in the message.
struct AnswerReader {
    /// The maximum size of a UDP message without EDNS (RFC 6891). c-ares truncates a longer one.
    private static let largestDatagram = 512
    private static let internetClass: UInt16 = 1
    private static let cname: UInt16 = 5
    private static let opt: UInt16 = 41

    private struct Record {
        let owner: String
        let type: UInt16
        let recordClass: UInt16
        let timeToLive: UInt32
        /// The offset and length of its data, within the message.
        let dataOffset: Int
        let dataLength: Int
    }

    private let name: String
    private let type: RecordType
    private var reader: MessageReader
    /// The target of each CNAME record, by owner.
    private var aliases: [String: [String]] = [:]
    private var found: [(owner: String, address: IPAddress)] = []

    /// - Parameters:
    ///   - message: The received message, without the two length bytes of TCP.
    ///   - name: The queried name, normalized.
    ///   - isTCP: Whether the message may not be truncated.
    static func judge(_ message: [UInt8], name: String, type: RecordType, isTCP: Bool) -> AnswerVerdict {
        let bad = AnswerVerdict.result(.failure(.badAnswer))
        guard let header = MessageHeader(message), header.isResponse, header.isQuery else { return bad }
        var reader = AnswerReader(name: name, type: type, reader: MessageReader(message))
        guard reader.takeQuestions(header) else { return bad }
        if header.isTruncated { return isTCP ? bad : .truncated }
        if let failure = failure(ofResponseCode: reader.responseCode(header)) { return .result(.failure(failure)) }
        guard reader.takeAnswers(header.answerCount) else {
            return isTCP || message.count < largestDatagram ? bad : .truncated
        }
        return .result(reader.answer())
    }

    private init(name: String, type: RecordType, reader: MessageReader) {
        self.name = name
        self.type = type
        self.reader = reader
    }

    private static func failure(ofResponseCode code: UInt16) -> ResolveFailure? {
        switch code {
        case 0: nil
        case 1: .formatError
        case 2: .serverFailure
        case 3: .nxdomain
        case 4: .notImplemented
        case 5: .refused
        default: .responseCode(code)
        }
    }

    /// Whether the message repeats the question that was asked. A server that cannot read it may leave it out.
    private mutating func takeQuestions(_ header: MessageHeader) -> Bool {
        if header.questionCount == 0 { return header.responseCode != 0 }
        guard header.questionCount == 1, let owner = reader.takeName(), let type = reader.takeNumber(),
            let questionClass = reader.takeNumber()
        else { return false }
        return owner == name && type == UInt16(self.type.rawValue) && questionClass == Self.internetClass
    }

    /// The response code, with the upper bits from an OPT record (RFC 6891 section 6.1.3).
    private func responseCode(_ header: MessageHeader) -> UInt16 {
        guard header.additionalCount > 0 else { return header.responseCode }
        var rest = self
        for _ in 0..<(header.answerCount + header.authorityCount) where rest.takeRecord() == nil {
            return header.responseCode
        }
        for _ in 0..<header.additionalCount {
            guard let record = rest.takeRecord() else { return header.responseCode }
            if record.type == Self.opt {
                return UInt16(record.timeToLive >> 24) << 4 | header.responseCode
            }
        }
        return header.responseCode
    }

    private mutating func takeRecord() -> Record? {
        guard let owner = reader.takeName(), let type = reader.takeNumber(), let recordClass = reader.takeNumber(),
            let upper = reader.takeNumber(), let lower = reader.takeNumber(), let length = reader.takeNumber(),
            let offset = reader.skip(Int(length))
        else { return nil }
        return Record(
            owner: owner, type: type, recordClass: recordClass, timeToLive: UInt32(upper) << 16 | UInt32(lower),
            dataOffset: offset, dataLength: Int(length))
    }

    /// - Returns: false if a record cannot be read, or an address has the wrong length.
    private mutating func takeAnswers(_ count: Int) -> Bool {
        for _ in 0..<count {
            guard let record = takeRecord() else { return false }
            guard record.recordClass == Self.internetClass else { continue }
            switch record.type {
            case Self.cname:
                guard let target = reader.name(at: record.dataOffset) else { return false }
                aliases[record.owner, default: []].append(target)
            case UInt16(RecordType.a.rawValue):
                guard record.dataLength == 4 else { return false }
                if type == .a { take(.v4(IPv4Address(bits: reader.integer(at: record.dataOffset))), of: record) }
            case UInt16(RecordType.aaaa.rawValue):
                guard record.dataLength == 16 else { return false }
                if type == .aaaa { take(.v6(IPv6Address(bits: reader.integer(at: record.dataOffset))), of: record) }
            default: continue
            }
        }
        return true
    }

    private mutating func take(_ address: IPAddress, of record: Record) {
        found.append((record.owner, address))
    }

    /// Returns the addresses of the name and of its CNAME targets, in any order of the records. Other records are
    /// ignored.
    private func answer() -> TryResult {
        var names = [name]
        var reached: Set<String> = [name]
        var next = 0
        while next < names.count {
            for target in aliases[names[next], default: []] where reached.insert(target).inserted {
                names.append(target)
            }
            next += 1
        }
        let addresses = found.filter { reached.contains($0.owner) }
        guard let first = addresses.first else {
            // If each name is an alias of another one, none of them can have an address.
            let isCircle = names.allSatisfy { aliases[$0] != nil }
            return .failure(isCircle ? .badAnswer : .noData)
        }
        return .success(
            ServerAnswer(
                addresses: addresses.map(\.address), names: Array(names.dropFirst()),
                canonicalName: first.owner == name ? nil : first.owner))
    }
}

/// The answer of one name server to one query.
struct ServerAnswer: Hashable, Sendable {
    /// Never empty.
    var addresses: [IPAddress]
    /// The names of the CNAME chain, normalized and in its order; empty without a chain.
    var names: [String] = []
    /// The owner of the first address, normalized; nil if it is the queried name.
    var canonicalName: String?
}

/// The record types of queries: RFC 1035, RFC 3596.
enum RecordType: Int32, Hashable, Sendable {
    case a = 1
    case aaaa = 28

    var family: AddressFamily {
        switch self {
        case .a: .ipv4
        case .aaaa: .ipv6
        }
    }
}

/// The result of one try with one server.
typealias TryResult = Result<ServerAnswer, ResolveFailure>

/// The meaning of a message for the try that it answers.
enum AnswerVerdict: Hashable, Sendable {
    case result(TryResult)
    /// The answer did not fit into a datagram: the query must be repeated over TCP.
    case truncated
}

extension AnswerVerdict {
    /// Judges the message that c-ares passes to a callback of `ares_query`.
    ///
    /// The message is parsed here. c-ares distinguishes only some response codes, and accepts a CNAME record only
    /// before its A record.
    static func of(status: Int32, message: [UInt8], name: String, type: RecordType) -> AnswerVerdict {
        if !message.isEmpty { return AnswerReader.judge(message, name: name, type: type, isTCP: false) }
        switch status {
        // A name that is too long for a message, for example after a search domain was appended.
        case connectd_ares_not_found, connectd_ares_bad_name: return .result(.failure(.nxdomain))
        case connectd_ares_timed_out: return .result(.failure(.timeout))
        case connectd_ares_no_memory: return .result(.failure(.shortage(.outOfMemory)))
        case connectd_ares_refused: return .result(.failure(.unreachable))
        case connectd_ares_cancelled, connectd_ares_destroyed: return .result(.failure(.cancelled))
        default: return .result(.failure(.badAnswer))
        }
    }
}
