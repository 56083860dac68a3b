internal import CAres
internal import CheckModel

/// What one name server said to one question.
struct Answer: Hashable, Sendable {
    /// Never empty.
    var addresses: [IPAddress]
    /// The names of the CNAME chain, normalized and in its order; empty without a chain.
    var names: [String] = []
    /// The name that has the first of the addresses, normalized; nil where it is the one that was asked for.
    var canonicalName: String?
}

/// The types of record that are asked for: RFC 1035, RFC 3596.
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

/// How one try at one server ended.
typealias TryResult = Result<Answer, ResolveFailure>

/// What one message means for the try that it answers.
enum AnswerVerdict: Hashable, Sendable {
    case result(TryResult)
    /// The answer did not fit into a datagram: the question has to be asked over TCP.
    case truncated
}

extension AnswerVerdict {
    /// Judges what c-ares hands to a callback of `ares_query`.
    ///
    /// The message is read here: c-ares tells only some response codes apart, and takes a CNAME record only before its A.
    static func of(status: Int32, message: [UInt8], name: String, type: RecordType) -> AnswerVerdict {
        if !message.isEmpty { return AnswerReader.judge(message, name: name, type: type, isTCP: false) }
        switch status {
        // A name that no message can hold, as after a search domain with an overlong label.
        case connectd_ares_not_found, connectd_ares_bad_name: return .result(.failure(.nxdomain))
        case connectd_ares_timed_out, connectd_ares_no_memory: return .result(.failure(.timeout))
        case connectd_ares_refused: return .result(.failure(.unreachable))
        case connectd_ares_cancelled, connectd_ares_destroyed: return .result(.failure(.cancelled))
        default: return .result(.failure(.badAnswer))
        }
    }
}
