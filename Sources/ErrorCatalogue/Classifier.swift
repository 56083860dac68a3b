public import NetworkTypes

/// Classifies errors: maps an error number and its circumstances to one class, one fault and one hint.
///
/// Every number has exactly one result in every phase. The functions do no I/O, and in the usual cases they do not
/// allocate.
public enum Classifier {
    /// Returns the report of an error that the kernel returned.
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

    /// Returns the report of a check whose own deadline passed; its name is never the kernel's ETIMEDOUT.
    ///
    /// In the phase `resolve` the name is DNS_TIMEOUT.
    public static func deadlineReport(in circumstances: Circumstances) -> ErrorReport {
        if circumstances.phase == .resolve { return report(for: .resolverTimeout) }
        let entry = ErrnoCatalogue.entry(for: .deadline)
        var classification = Classification(entry)
        classification.classifyTimeout(circumstances, isDeadline: true)
        classification.assignFaultBySender(circumstances)
        return classification.report(of: entry)
    }

    /// Returns the report of a name that could not be resolved.
    public static func report(for failure: ResolveFailure) -> ErrorReport {
        if case .shortage(let errno) = failure { return shortageReport(of: errno) }
        let usual = report(for: OwnError(failure))
        guard case .responseCode(let number) = failure else { return usual }
        return ErrorReport(
            errno: nil, name: usual.name, errorClass: usual.errorClass, fault: usual.fault, source: usual.source,
            message: "\(usual.message) (response code \(number))", hint: usual.hint, retryable: usual.retryable)
    }

    /// A shortage before connect(2) is always the prober's fault.
    private static func shortageReport(of errno: Errno) -> ErrorReport {
        let entry = ErrnoCatalogue.entryOrUnknown(for: errno)
        var classification = Classification(entry)
        classification.set(
            .proberExhausted, fault: .prober, retryable: true,
            hint: entry.errorClass == .proberExhausted ? entry.hint : Hints.localShortage)
        return classification.report(of: entry)
    }

    /// Returns the report of an error that connectd names itself.
    ///
    /// Use `deadlineReport(in:)` for a deadline: it says more. The report for `denied` is constant, so it reveals
    /// nothing about the target.
    public static func report(for error: OwnError) -> ErrorReport {
        ErrnoCatalogue.entry(for: error).report
    }

    /// The report for a target that is an address of a family that the request excludes. No name is resolved.
    public static var addressOfOtherFamily: ErrorReport {
        let entry = ErrnoCatalogue.entry(for: OwnError.noData)
        return ErrorReport(
            errno: nil, name: entry.name, errorClass: entry.errorClass, fault: .request, source: entry.source,
            message: "The target is an address of the other family", hint: Hints.addressOfOtherFamily, retryable: false)
    }
}

/// The circumstances of an error: everything that the classification needs besides the number.
///
/// Only `phase` and `transport` are required; the other members make the result more precise.
public struct Circumstances: Hashable, Sendable {
    /// The kind of socket.
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

    /// Why a UNIX-domain path gave EACCES; connect(2) does not tell.
    public enum UnixAccess: Hashable, Sendable {
        case unknown
        /// No search permission on a directory of the path.
        case searchDenied
        /// No write permission on the socket.
        case writeDenied
        /// Opening the path did not return in time.
        case unanswered
    }

    public var phase: Phase
    public var transport: Transport
    public var requestedBind: RequestedBind = []
    /// Whether the request asked for TCP_MD5SIG: a peer with another key does not answer.
    public var signsWithMD5 = false
    /// Whether the request asks the question of a preset.
    public var asksPreset = false
    /// In the phase `tls`: whether STARTTLS had not finished yet.
    public var isBeforeTLS = false
    /// The destination address; nil for UNIX-domain sockets.
    public var destination: IPAddress?
    /// Whether the destination was resolved from a name, not written in the request.
    public var destinationIsResolved = false
    /// The address that the socket is bound to; nil if unknown.
    public var source: IPAddress?
    /// False if this machine has no address of the destination's family, not even on loopback.
    public var hasAddressOfFamily = true
    /// The ICMP message that caused this error.
    public var icmp: ICMPMessage?
    /// Who sent `icmp`, from `ICMPMessage.sender(destination:isOurs:)`.
    public var icmpSender: ICMPSender = .intermediate
    public var unixAccess: UnixAccess = .unknown
    /// What the kernel did with the SYNs of a connect that got no answer; nil if unknown.
    public var tcpInformation: TCPInformation?
    /// Whether the peer has answered: with a completed connect, or with bytes.
    public var peerSpoke = false

    public init(phase: Phase, transport: Transport) {
        self.phase = phase
        self.transport = transport
    }
}

/// The result of a classification so far. It starts with the catalogue's usual case, which circumstances can change.
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

    /// Returns the report. The number, name and message always come from the entry.
    func report(of entry: ErrorCatalogueEntry) -> ErrorReport {
        ErrorReport(
            errno: entry.errno, name: entry.name, errorClass: errorClass, fault: fault, source: entry.source,
            message: entry.message, hint: hint, retryable: retryable)
    }
}

/// Properties of the addresses that the classification needs.
extension Circumstances {
    var sourceIsLoopback: Bool { Self.isLoopback(source) }
    var destinationIsLoopback: Bool { Self.isLoopback(destination) }

    /// Whether the destination is multicast or 255.255.255.255. The broadcast address of a network cannot be recognized
    /// by the address alone.
    var destinationIsMulticastOrBroadcast: Bool {
        if let bits = Self.ipv4Bits(destination) { return bits >> 28 == 0xE || bits == .max }
        return Self.ipv6(destination).map { $0.bits >> 120 == 0xFF } ?? false
    }

    /// Whether the destination needs a zone but has none: a link-local IPv6 address (fe80::/10, RFC 4007), or a group
    /// with interface or link scope (ff01::, ff02::, RFC 4291, 2.7).
    var destinationLacksZone: Bool {
        guard let address = Self.ipv6(destination), address.zone == nil else { return false }
        let isNarrowGroup = address.bits >> 120 == 0xFF && (1...2).contains(address.bits >> 112 & 0xF)
        return address.bits >> 118 == 0x3FA || isNarrowGroup
    }

    /// Whether the request names an interface.
    var requestNamesInterface: Bool {
        requestedBind.contains(.interface) || Self.ipv6(destination)?.zone != nil
    }

    private static func isLoopback(_ address: IPAddress?) -> Bool {
        if let bits = ipv4Bits(address) { return bits >> 24 == 127 }
        return ipv6(address)?.bits == 1
    }

    /// The IPv4 address, also if it is written as `::ffff:a.b.c.d`; nil for any other address.
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
