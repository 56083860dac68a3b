internal import CAres
internal import CLinux
internal import CheckModel

/// What one name server said to one question.
struct Answer: Sendable {
    /// Never empty.
    var addresses: [IPAddress]
    /// The names of the CNAME chain as the server has them, the canonical one last; empty without a chain.
    var names: [String]
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

extension Answer {
    /// Judges what c-ares hands to a call-back of `ares_query`.
    ///
    /// The response code is read from the message itself: c-ares maps only six of them, and takes the rest for success.
    static func judge(status: Int32, message: UnsafeBufferPointer<UInt8>, type: RecordType) -> TryResult {
        if message.count >= headerLength {
            let code = message[3] & 0x0F
            if let failure = failure(ofResponseCode: code) { return .failure(failure) }
        }
        switch status {
        case connectd_ares_success: return parse(message, type: type)
        case connectd_ares_no_data: return .failure(.noData)
        // A name that no message can hold, as after a search domain with an overlong label.
        case connectd_ares_not_found, connectd_ares_bad_name: return .failure(.nxdomain)
        case connectd_ares_timed_out, connectd_ares_no_memory: return .failure(.timeout)
        case connectd_ares_refused: return .failure(.unreachable)
        case connectd_ares_cancelled, connectd_ares_destroyed: return .failure(.cancelled)
        default: return .failure(.badAnswer)
        }
    }

    private static let headerLength = 12

    private static func failure(ofResponseCode code: UInt8) -> ResolveFailure? {
        switch code {
        case 0: nil
        case 2: .serverFailure
        case 3: .nxdomain
        case 5: .refused
        default: .badAnswer
        }
    }

    private static func parse(_ message: UnsafeBufferPointer<UInt8>, type: RecordType) -> TryResult {
        var found: UnsafeMutablePointer<hostent>?
        let status =
            switch type {
            case .a: ares_parse_a_reply(message.baseAddress, Int32(message.count), &found, nil, nil)
            case .aaaa: ares_parse_aaaa_reply(message.baseAddress, Int32(message.count), &found, nil, nil)
            }
        defer { if let found { ares_free_hostent(found) } }
        guard let names = AnswerNames.read(from: message) else { return .failure(.badAnswer) }
        guard status == connectd_ares_success, let host = found?.pointee else {
            return .failure(status == connectd_ares_no_data ? .noData : .badAnswer)
        }
        let addresses = list(host.h_addr_list).map { address(at: $0, type: type) }
        guard !addresses.isEmpty else { return .failure(.noData) }
        return .success(Answer(addresses: addresses, names: names))
    }

    /// The elements of a list that ends in NULL.
    private static func list(
        _ start: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    ) -> [UnsafeMutablePointer<CChar>] {
        guard var next = start else { return [] }
        var elements: [UnsafeMutablePointer<CChar>] = []
        while let element = next.pointee {
            elements.append(element)
            next += 1
        }
        return elements
    }

    private static func address(at bytes: UnsafeMutablePointer<CChar>, type: RecordType) -> IPAddress {
        let memory = UnsafeRawPointer(bytes)
        switch type {
        case .a: return .v4(IPv4Address(bits: UInt32(bigEndian: memory.loadUnaligned(as: UInt32.self))))
        case .aaaa: return .v6(IPv6Address(bits: UInt128(bigEndian: memory.loadUnaligned(as: UInt128.self))))
        }
    }
}
