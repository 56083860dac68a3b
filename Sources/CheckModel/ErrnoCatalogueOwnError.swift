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

    /// The name for a resolver's failure.
    public init(_ failure: ResolveFailure) {
        switch failure {
        case .nxdomain: self = .nxdomain
        case .noData: self = .noData
        case .serverFailure: self = .serverFailure
        case .refused: self = .resolverRefused
        case .formatError: self = .resolverFormatError
        case .notImplemented: self = .resolverNotImplemented
        case .responseCode(let number): self = Self.responseCodes[number] ?? .resolverOtherCode
        case .timeout: self = .resolverTimeout
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
