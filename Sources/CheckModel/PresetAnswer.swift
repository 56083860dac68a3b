public import NetworkTypes

/// What a server answered to the question of a preset.
///
/// Everything in it is what the peer said. Only the offset and the delay of `NTPAnswer` are measured.
public final class PresetAnswer: Sendable {
    public enum Content: Hashable, Sendable {
        case dns(DNSAnswer)
        case ntp(NTPAnswer)
        case stun(STUNAnswer)
        case snmp(SNMPAnswer)
        case ike(IKEAnswer)
        case quic(QUICAnswer)
    }

    /// The length of the datagram.
    public let byteCount: Int
    public let content: Content

    public init(byteCount: Int, content: Content) {
        self.byteCount = byteCount
        self.content = content
    }

    public var preset: UDPPreset {
        switch content {
        case .dns: .dns
        case .ntp: .ntp
        case .stun: .stun
        case .snmp: .snmp
        case .ike: .ike
        case .quic: .quic
        }
    }
}

/// The response of a name server: RFC 1035, section 4.1.
public struct DNSAnswer: Hashable, Sendable {
    /// 0 … 15.
    public var responseCode: UInt8
    public var isAuthoritative: Bool
    public var isTruncated: Bool
    public var isRecursionAvailable: Bool
    /// The records of the answer section. Of a truncated response, those that are complete.
    public var answerCount: Int

    public init(
        responseCode: UInt8, isAuthoritative: Bool, isTruncated: Bool, isRecursionAvailable: Bool, answerCount: Int
    ) {
        self.responseCode = responseCode
        self.isAuthoritative = isAuthoritative
        self.isTruncated = isTruncated
        self.isRecursionAvailable = isRecursionAvailable
        self.answerCount = answerCount
    }

    /// The name of the response code, such as `NOERROR`; `RCODE11` for a number without a name.
    public var responseCodeName: String {
        Self.names.indices.contains(Int(responseCode)) ? Self.names[Int(responseCode)] : "RCODE\(responseCode)"
    }

    /// RFC 6895, section 2.3, by number.
    private static let names = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
        "NOTZONE",
    ]
}

/// The response of a time server: RFC 5905, section 7.3.
public struct NTPAnswer: Hashable, Sendable {
    /// How far the server's clock is ahead of the prober's.
    public struct Measurement: Hashable, Sendable {
        /// Nanoseconds; negative if the server's clock is slow. Its error is at most half the delay.
        public var offsetNanoseconds: Int64
        /// Nanoseconds of the round trip, without the server's own time.
        public var delayNanoseconds: Int64

        public init(offsetNanoseconds: Int64, delayNanoseconds: Int64) {
            self.offsetNanoseconds = offsetNanoseconds
            self.delayNanoseconds = delayNanoseconds
        }
    }

    /// 1 … 4.
    public var version: UInt8
    /// 0 no warning, 1 a second more today, 2 a second less, 3 not synchronized.
    public var leap: UInt8
    /// 1 for a reference clock, 2 … 15 for servers that follow one; 0 for a kiss code or an unsynchronized server.
    public var stratum: UInt8
    /// The exponent of 2 for the clock's resolution in seconds.
    public var precision: Int8
    /// Up to 65536 seconds, in nanoseconds.
    public var rootDelayNanoseconds: Int64
    /// Up to 65536 seconds, in nanoseconds.
    public var rootDispersionNanoseconds: Int64
    /// Stratum 1: the kind of clock, such as `GPS`. Above: an IPv4 address, or a part of a hash of an IPv6 address.
    public var referenceID: String?
    /// Stratum 0: `RATE` for too many requests, `INIT` for a server that is not synchronized, and others of RFC 5905.
    public var kissCode: String?
    /// nil if the server's clock is not synchronized, or if its timestamps contradict each other.
    public var measurement: Measurement?

    public init(
        version: UInt8, leap: UInt8, stratum: UInt8, precision: Int8, rootDelayNanoseconds: Int64,
        rootDispersionNanoseconds: Int64, referenceID: String?, kissCode: String?, measurement: Measurement?
    ) {
        self.version = version
        self.leap = leap
        self.stratum = stratum
        self.precision = precision
        self.rootDelayNanoseconds = rootDelayNanoseconds
        self.rootDispersionNanoseconds = rootDispersionNanoseconds
        self.referenceID = referenceID
        self.kissCode = kissCode
        self.measurement = measurement
    }
}

/// The response to a Binding request: RFC 8489.
public struct STUNAnswer: Hashable, Sendable {
    /// The prober's address as the server sees it.
    public var mappedAddress: IPEndpoint?
    /// At most 763 bytes, as the peer sent them.
    public var software: [UInt8]?
    /// 300 … 699; nil for a success response.
    public var errorCode: Int?
    /// At most 763 bytes, as the peer sent them.
    public var reason: [UInt8]?

    public init(mappedAddress: IPEndpoint?, software: [UInt8]?, errorCode: Int?, reason: [UInt8]?) {
        self.mappedAddress = mappedAddress
        self.software = software
        self.errorCode = errorCode
        self.reason = reason
    }
}

/// The report of an SNMPv3 agent to the discovery of its engine: RFC 3414, section 4.
public struct SNMPAnswer: Hashable, Sendable {
    /// 5 … 32 bytes.
    public var engineID: [UInt8]
    /// How often the engine has started.
    public var engineBoots: Int
    /// Seconds since its last start.
    public var engineTimeSeconds: Int

    public init(engineID: [UInt8], engineBoots: Int, engineTimeSeconds: Int) {
        self.engineID = engineID
        self.engineBoots = engineBoots
        self.engineTimeSeconds = engineTimeSeconds
    }
}

/// The response to IKE_SA_INIT: RFC 7296.
public struct IKEAnswer: Hashable, Sendable {
    public struct Notification: Hashable, Sendable {
        public var type: UInt16
        /// The Diffie-Hellman group that INVALID_KE_PAYLOAD asks for.
        public var group: UInt16?

        public init(type: UInt16, group: UInt16? = nil) {
            self.type = type
            self.group = group
        }
    }

    /// Whether the server accepted the proposal.
    public var acceptsProposal: Bool
    /// At most 32.
    public var notifications: [Notification]
    /// At most 16, with at most 64 bytes of each.
    public var vendorIDs: [[UInt8]]

    public init(acceptsProposal: Bool, notifications: [Notification], vendorIDs: [[UInt8]]) {
        self.acceptsProposal = acceptsProposal
        self.notifications = notifications
        self.vendorIDs = vendorIDs
    }
}

extension IKEAnswer.Notification {
    /// The name in IANA's registry; nil for a type without one here.
    public var name: String? { Self.names[type] }

    /// The types that a response to IKE_SA_INIT can have.
    private static let names: [UInt16: String] = [
        1: "UNSUPPORTED_CRITICAL_PAYLOAD", 4: "INVALID_IKE_SPI", 5: "INVALID_MAJOR_VERSION", 7: "INVALID_SYNTAX",
        9: "INVALID_MESSAGE_ID", 11: "INVALID_SPI", 14: "NO_PROPOSAL_CHOSEN", 17: "INVALID_KE_PAYLOAD",
        24: "AUTHENTICATION_FAILED", 43: "TEMPORARY_FAILURE", 16388: "NAT_DETECTION_SOURCE_IP",
        16389: "NAT_DETECTION_DESTINATION_IP", 16390: "COOKIE", 16392: "HTTP_CERT_LOOKUP_SUPPORTED",
        16404: "MULTIPLE_AUTH_SUPPORTED", 16406: "REDIRECT_SUPPORTED", 16407: "REDIRECT",
        16418: "CHILDLESS_IKEV2_SUPPORTED", 16430: "IKEV2_FRAGMENTATION_SUPPORTED",
        16431: "SIGNATURE_HASH_ALGORITHMS", 16435: "USE_PPK", 16438: "INTERMEDIATE_EXCHANGE_SUPPORTED",
    ]
}

/// The Version Negotiation packet of a QUIC server: RFC 9000, section 17.2.1.
public struct QUICAnswer: Hashable, Sendable {
    /// At most 64, in the order of the server.
    public var versions: [UInt32]

    public init(versions: [UInt32]) {
        self.versions = versions
    }
}
