public import NetworkTypes

/// An error that connectd names itself, as it is not from the kernel. The raw value is the name in JSON. TLS failures
/// are in `TLSFailure`.
public enum OwnError: String, CaseIterable, Sendable {
    /// The check's own deadline passed; never the kernel's ETIMEDOUT.
    case deadline = "DEADLINE"
    case nxdomain = "NXDOMAIN"
    case noData = "NODATA"
    case serverFailure = "SERVFAIL"
    case resolverRefused = "REFUSED"
    case resolverFormatError = "FORMERR"
    case resolverNotImplemented = "NOTIMP"
    case resolverNameExists = "YXDOMAIN"
    case resolverRecordsExist = "YXRRSET"
    case resolverNoRecords = "NXRRSET"
    case resolverNotAuthoritative = "NOTAUTH"
    case resolverNotInZone = "NOTZONE"
    case resolverBadVersion = "BADVERS"
    /// A response code without a name of its own; the message contains its number.
    case resolverOtherCode = "DNS_RCODE"
    case resolverTimeout = "DNS_TIMEOUT"
    case resolverUnreachable = "DNS_UNREACHABLE"
    case resolverBadAnswer = "DNS_BAD_ANSWER"
    case dialogMismatch = "DIALOG_MISMATCH"
    case dialogRejected = "DIALOG_REJECTED"
    case dialogClosed = "DIALOG_CLOSED"
    /// The socket connected to itself by TCP's simultaneous open (RFC 9293, 3.5): getsockname(2) equals getpeername(2).
    case selfConnect = "SELF_CONNECT"
    /// The peer accepted the connection, and closed it while it was held.
    case closedEarly = "CLOSED_EARLY"
    /// connectd had no free socket or thread for the check before its deadline.
    case proberBusy = "PROBER_BUSY"
    /// No place of the fleet answered for a check.
    case placeUnavailable = "PLACE_UNAVAILABLE"
    case denied = "DENIED"
    /// A check of a batch whose client has reached a limit.
    case clientLimit = "CLIENT_LIMIT"
    case invalid = "INVALID"
    case cancelled = "CANCELLED"

    /// Makes the error for a resolver's failure. A shortage has no name of its own: its errno is reported.
    public init(_ failure: ResolveFailure) {
        switch failure {
        case .nxdomain: self = .nxdomain
        case .noData: self = .noData
        case .serverFailure: self = .serverFailure
        case .refused: self = .resolverRefused
        case .formatError: self = .resolverFormatError
        case .notImplemented: self = .resolverNotImplemented
        case .responseCode(let number): self = Self.responseCodes[number] ?? .resolverOtherCode
        case .timeout, .shortage: self = .resolverTimeout
        case .unreachable: self = .resolverUnreachable
        case .badAnswer: self = .resolverBadAnswer
        case .cancelled: self = .cancelled
        }
    }

    /// The less common response codes that have their own name.
    private static let responseCodes: [UInt16: OwnError] = [
        6: .resolverNameExists, 7: .resolverRecordsExist, 8: .resolverNoRecords, 9: .resolverNotAuthoritative,
        10: .resolverNotInZone, 16: .resolverBadVersion,
    ]
}

/// Why a name could not be resolved. `OwnError` has the names in JSON.
public enum ResolveFailure: Error, Hashable, Sendable {
    case nxdomain
    case noData
    case serverFailure
    case refused
    /// FORMERR: the server could not read the query.
    case formatError
    /// NOTIMP: the server does not answer queries of this kind.
    case notImplemented
    /// Any other response code (RFC 6895, 2.3), by its number.
    case responseCode(UInt16)
    case timeout
    /// The prober had no descriptor, epoll watch or memory left to send the query or to receive the answer.
    case shortage(Errno)
    case unreachable
    case badAnswer
    /// The check was cancelled during the resolution; never reported as a resolver's failure.
    case cancelled
}
