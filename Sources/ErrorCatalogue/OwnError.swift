public import NetworkTypes

/// An error that is not the kernel's: connectd names it itself. The raw value is the name that users see. Those of TLS are in
/// `TLSFailure`.
public enum OwnError: String, CaseIterable, Sendable {
    /// The check's own time was up; never the kernel's ETIMEDOUT.
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
    /// A response code that has no name here; the message says its number.
    case resolverOtherCode = "DNS_RCODE"
    case resolverTimeout = "DNS_TIMEOUT"
    case resolverUnreachable = "DNS_UNREACHABLE"
    case resolverBadAnswer = "DNS_BAD_ANSWER"
    case dialogMismatch = "DIALOG_MISMATCH"
    case dialogRejected = "DIALOG_REJECTED"
    case dialogClosed = "DIALOG_CLOSED"
    /// TCP's simultaneous open with itself (RFC 9293, 3.5): getsockname(2) equals getpeername(2).
    case selfConnect = "SELF_CONNECT"
    /// A check found no free socket or thread in its time: connectd's own shortage.
    case proberBusy = "PROBER_BUSY"
    case denied = "DENIED"
    case invalid = "INVALID"
    case cancelled = "CANCELLED"

    /// The name for a resolver's failure; a shortage here has one only as an errno.
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

    /// The response codes that have names of their own, but for those that a question is answered with every day.
    private static let responseCodes: [UInt16: OwnError] = [
        6: .resolverNameExists, 7: .resolverRecordsExist, 8: .resolverNoRecords, 9: .resolverNotAuthoritative,
        10: .resolverNotInZone, 16: .resolverBadVersion,
    ]
}

/// Why a name has no addresses. `OwnError` has the names that users see.
public enum ResolveFailure: Error, Hashable, Sendable {
    case nxdomain
    case noData
    case serverFailure
    case refused
    /// FORMERR: the server could not read the question.
    case formatError
    /// NOTIMP: the server does not answer questions of this kind.
    case notImplemented
    /// Any other response code of RFC 6895 section 2.3, by its number.
    case responseCode(UInt16)
    case timeout
    /// The prober itself lacked a descriptor, a watch or memory, so that its question was not sent or not heard.
    case shortage(Errno)
    case unreachable
    case badAnswer
    /// The check was cancelled while its name was being resolved; never shown as a resolver's failure.
    case cancelled
}
