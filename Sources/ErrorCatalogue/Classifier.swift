public import NetworkTypes

/// Tells errors apart: from a number and its circumstances to one class, one fault and one hint.
///
/// The functions are total: whatever number comes in whatever phase, there is exactly one answer. Nothing here does I/O,
/// and the usual answers are put together from finished texts without an allocation.
public enum Classifier {
    /// The report of an error that the kernel gave.
    public static func report(for errno: Errno, in circumstances: Circumstances) -> ErrorReport {
        let entry = ErrnoCatalogue.entryOrUnknown(for: errno)
        var classification = Classification(entry)
        switch circumstances.phase {
        case .bind:
            classification.classifyBind(errno, circumstances)
        case .socket:
            classification.classifySocket(errno, circumstances)
        case .policy, .resolve, .connect, .hold, .tls, .dialog, .done:
            classification.classifyConnect(errno, circumstances)
            classification.applyICMP(to: errno, circumstances)
        }
        return classification.report(of: entry)
    }

    /// The report of a check whose own deadline passed: never the kernel's ETIMEDOUT.
    ///
    /// While a name is being resolved it is the resolver's DNS_TIMEOUT.
    public static func deadlineReport(in circumstances: Circumstances) -> ErrorReport {
        if circumstances.phase == .resolve { return report(for: .resolverTimeout) }
        let entry = ErrnoCatalogue.entry(for: .deadline)
        var classification = Classification(entry)
        classification.classifyTimeout(circumstances, isDeadline: true)
        classification.assignFaultBySender(circumstances)
        return classification.report(of: entry)
    }

    /// The report of a name that has no addresses.
    public static func report(for failure: ResolveFailure) -> ErrorReport {
        if case .shortage(let errno) = failure { return shortageReport(of: errno) }
        let usual = report(for: OwnError(failure))
        guard case .responseCode(let number) = failure else { return usual }
        return ErrorReport(
            errno: nil, name: usual.name, errorClass: usual.errorClass, fault: usual.fault, source: usual.source,
            message: "\(usual.message) (response code \(number))", hint: usual.hint, retryable: usual.retryable)
    }

    /// Before connect(2), no shortage is the target's or the name server's.
    private static func shortageReport(of errno: Errno) -> ErrorReport {
        let entry = ErrnoCatalogue.entryOrUnknown(for: errno)
        var classification = Classification(entry)
        classification.set(
            .proberExhausted, fault: .prober, retryable: true,
            hint: entry.errorClass == .proberExhausted ? entry.hint : Hints.localShortage)
        return classification.report(of: entry)
    }

    /// The report of an error that connectd names itself.
    ///
    /// For a deadline `deadlineReport(in:)` says more. The policy's report is one constant: it tells nothing about the
    /// target.
    public static func report(for error: OwnError) -> ErrorReport {
        ErrnoCatalogue.entry(for: error).report
    }

    /// For a target that is an address, where the request asks for the other family: no resolver has a part in it.
    public static var addressOfOtherFamily: ErrorReport {
        let entry = ErrnoCatalogue.entry(for: OwnError.noData)
        return ErrorReport(
            errno: nil, name: entry.name, errorClass: entry.errorClass, fault: .request, source: entry.source,
            message: "The target is an address of the other family", hint: Hints.addressOfOtherFamily, retryable: false)
    }
}

/// What was going on when an error came: all that the classification asks beside the number.
///
/// Small and copied freely. Only `phase` and `transport` are needed; each further member makes the answer sharper.
public struct Circumstances: Hashable, Sendable {
    /// What the socket speaks.
    public enum Transport: Hashable, Sendable {
        case tcp, udp
        case unix(UnixSocketType)

        public init(_ peer: Target.Peer) {
            switch peer {
            case .tcp: self = .tcp
            case .udp: self = .udp
            case .unix(let socketType, _): self = .unix(socketType)
            }
        }

        var isUnix: Bool {
            switch self {
            case .tcp, .udp: false
            case .unix: true
            }
        }
    }

    /// Which members of `bind` the request has.
    public struct RequestedBind: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        public static let address = RequestedBind(rawValue: 1)
        public static let port = RequestedBind(rawValue: 2)
        public static let interface = RequestedBind(rawValue: 4)
    }

    /// Why a UNIX-domain path gave EACCES; both look the same to connect(2).
    public enum UnixAccess: Hashable, Sendable {
        case unknown
        /// No search permission on a directory of the path.
        case searchDenied
        /// No write permission on the socket.
        case writeDenied
        /// A call for the path did not return in time.
        case unanswered
    }

    public var phase: Phase
    public var transport: Transport
    public var requestedBind: RequestedBind = []
    /// Whether the request asked for TCP_MD5SIG: a wrong key is answered by silence.
    public var signsWithMD5 = false
    /// In phase `tls`: the peer was still being asked for TLS in its own protocol.
    public var isBeforeTLS = false
    /// The address that is connected to; nil for UNIX-domain sockets.
    public var destination: IPAddress?
    /// Whether that address was found by its name, and not written in the request.
    public var destinationIsResolved = false
    /// The address that the socket is bound to, as far as it is known.
    public var source: IPAddress?
    /// False when this machine has no address of the destination's family, not even on loopback.
    public var hasAddressOfFamily = true
    /// The ICMP message behind this very error.
    public var icmp: ICMPMessage?
    /// Who sent `icmp`; `ICMPMessage.sender(destination:isOurs:)` finds out.
    public var icmpSender: ICMPSender = .intermediate
    public var unixAccess: UnixAccess = .unknown
    /// Whether anything came from the peer: a completed connect, or bytes.
    public var peerSpoke = false

    public init(phase: Phase, transport: Transport) {
        self.phase = phase
        self.transport = transport
    }
}

/// What circumstances may change about an error; it starts as the catalogue's usual case.
struct Classification {
    var errorClass: ErrorClass
    var fault: Fault
    var retryable: Bool
    var hint: String

    init(_ entry: ErrorCatalogueEntry) {
        errorClass = entry.errorClass
        fault = entry.fault
        retryable = entry.retryable
        hint = entry.hint
    }

    mutating func set(_ errorClass: ErrorClass, fault: Fault, retryable: Bool, hint: String) {
        self.errorClass = errorClass
        self.fault = fault
        self.retryable = retryable
        self.hint = hint
    }

    /// The number, name and message are the entry's, whatever was judged: the kernel's own words stay.
    func report(of entry: ErrorCatalogueEntry) -> ErrorReport {
        ErrorReport(
            errno: entry.errno, name: entry.name, errorClass: errorClass, fault: fault, source: entry.source,
            message: entry.message, hint: hint, retryable: retryable)
    }
}

/// What the addresses of an attempt mean for its errors.
extension Circumstances {
    var sourceIsLoopback: Bool { Self.isLoopback(source) }
    var destinationIsLoopback: Bool { Self.isLoopback(destination) }

    /// Multicast, or 255.255.255.255; a network's own broadcast address cannot be told from the address alone.
    var destinationIsMulticastOrBroadcast: Bool {
        if let bits = Self.ipv4Bits(destination) { return bits >> 28 == 0xE || bits == .max }
        return Self.ipv6(destination).map { $0.bits >> 120 == 0xFF } ?? false
    }

    /// A link-local IPv6 address (fe80::/10) needs a zone: which link is meant (RFC 4007). So does a group whose scope is the
    /// interface or the link (ff01::, ff02::, RFC 4291, 2.7).
    var destinationLacksZone: Bool {
        guard let address = Self.ipv6(destination), address.zone == nil else { return false }
        let isNarrowGroup = address.bits >> 120 == 0xFF && (1...2).contains(address.bits >> 112 & 0xF)
        return address.bits >> 118 == 0x3FA || isNarrowGroup
    }

    /// Whether the request itself said which interface to use.
    var requestNamesInterface: Bool {
        requestedBind.contains(.interface) || Self.ipv6(destination)?.zone != nil
    }

    private static func isLoopback(_ address: IPAddress?) -> Bool {
        if let bits = ipv4Bits(address) { return bits >> 24 == 127 }
        return ipv6(address)?.bits == 1
    }

    /// The IPv4 address, also out of `::ffff:a.b.c.d`; nil for any other.
    private static func ipv4Bits(_ address: IPAddress?) -> UInt32? {
        switch address {
        case .v4(let address): address.bits
        case .v6(let address): address.bits >> 32 == 0xFFFF ? UInt32(truncatingIfNeeded: address.bits) : nil
        case nil: nil
        }
    }

    private static func ipv6(_ address: IPAddress?) -> IPv6Address? {
        switch address {
        case .v6(let address): address
        case .v4, nil: nil
        }
    }
}
