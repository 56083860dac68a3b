public import CheckModel
internal import ErrorCatalogue
public import NetworkTypes

/// Chooses the experiments that can decide something after the first check.
public struct ExperimentPlan {
    private let request: CheckRequest
    private let check: CheckResult
    private let nameServers: [IPEndpoint]
    private let hasControl: Bool
    private let mayAskPresets: Bool

    /// - Parameters:
    ///   - nameServers: the prober's; empty if they are not to be asked.
    ///   - hasControl: whether the request names a control target.
    ///   - mayAskPresets: whether a UDP target may be asked something.
    public init(
        after check: CheckResult, of request: CheckRequest, nameServers: [IPEndpoint], hasControl: Bool,
        mayAskPresets: Bool = true
    ) {
        self.request = request
        self.check = check
        self.nameServers = nameServers
        self.hasControl = hasControl
        self.mayAskPresets = mayAskPresets
    }

    /// Ports of other common services, and one that is rarely used.
    static let otherPorts: [UInt16] = [22, 80, 443, 9]
    static let mostNameServers = 3
    /// A slow answer suggests that one of several name servers does not answer.
    private static let slowResolutionNanoseconds: Int64 = 900_000_000

    /// In the order in which they are reported.
    public var experiments: [Experiment] {
        guard case .failed(let errorClass) = check.outcome else { return afterSuccess }
        var chosen = hasControl && isAboutNetwork(errorClass) ? [Experiment.control] : []
        switch errorClass {
        case .timeout where check.phase == .connect: chosen += afterSilence
        case .refused, .unreachable: chosen += afterRefusal
        case .tlsFailed, .timeout, .reset: chosen += afterHandshake
        default: break
        }
        if suspectsName(errorClass) { chosen += askedServers }
        return chosen
    }

    private func isAboutNetwork(_ errorClass: ErrorClass) -> Bool {
        switch errorClass {
        case .timeout, .unreachable, .refused, .reset, .resolveFailed: true
        default: false
        }
    }

    /// Whether a wrong address may be the reason.
    private func suspectsName(_ errorClass: ErrorClass) -> Bool {
        switch errorClass {
        case .timeout, .unreachable, .refused, .reset, .resolveFailed: true
        case .tlsFailed: check.error?.name == TLSFailure.certificateNameMismatch.rawValue
        default: false
        }
    }

    private var hasName: Bool {
        // The names of loopback are never asked (RFC 6761).
        if case .name(let name) = host { return name != "localhost" && !name.hasSuffix(".localhost") }
        return false
    }

    private var host: Host? {
        switch request.target.peer {
        case .tcp(let host, _), .udp(let host, _): host
        case .unix: nil
        }
    }

    private var port: UInt16? {
        switch request.target.peer {
        case .tcp(_, let port), .udp(_, let port): port
        case .unix: nil
        }
    }

    private var isTCP: Bool {
        if case .tcp = request.target.peer { return true }
        return false
    }

    private var askedServers: [Experiment] {
        guard hasName, request.resolve.server == nil else { return [] }
        return nameServers.prefix(Self.mostNameServers).map(Experiment.nameServer)
    }

    private var hasSeveralAddresses: Bool {
        (check.resolution?.addresses.count ?? 0) > 1 && request.resolve.addresses != .all
    }

    private var afterSuccess: [Experiment] {
        guard isTCP else { return question }
        var chosen: [Experiment] = hasSeveralAddresses ? [.everyAddress] : []
        if request.dialog.isEmpty, request.tls == nil { chosen.append(.hold) }
        if let peer = check.decisiveAttempt?.endpoint.internetAddress {
            chosen += AbsentAddresses.addresses(avoiding: peer).map(Experiment.absentAddress)
        }
        if check.timings[.resolve] > Self.slowResolutionNanoseconds { chosen += askedServers }
        return chosen
    }

    /// The question that a server with this port usually answers.
    private var question: [Experiment] {
        guard mayAskPresets, check.outcome == .associated, request.dialog.isEmpty, let port,
            let preset = Self.presets[port]
        else { return [] }
        return [.question(preset)]
    }

    private static let presets: [UInt16: UDPPreset] = [
        53: .dns, 123: .ntp, 3478: .stun, 161: .snmp, 500: .ike, 443: .quic,
    ]

    private var afterSilence: [Experiment] {
        guard isTCP else { return [] }
        var chosen = Self.otherPorts.filter { $0 != port }.map(Experiment.otherPort) + [.trace]
        if request.bind != BindOptions() { chosen.append(.withoutBind) }
        if request.socket.tcpMD5 != nil { chosen.append(.withoutSignature) }
        return chosen
    }

    private var afterRefusal: [Experiment] { request.bind != BindOptions() && isTCP ? [.withoutBind] : [] }

    private var afterHandshake: [Experiment] {
        guard check.phase == .tls, request.tls != nil, request.tls?.startTLS == nil else { return [] }
        switch check.error?.name {
        case TLSFailure.version.rawValue, TLSFailure.noSharedCipher.rawValue: return [.oldVersions]
        case TLSFailure.alert.rawValue, TLSFailure.closed.rawValue: return [.withoutServerName, .oldVersions]
        default: break
        }
        guard check.outcome == .failed(.timeout) || check.outcome == .failed(.reset) else { return [] }
        return [.smallSegments, .smallHello, .withoutServerName]
    }
}

/// Addresses for documentation (RFC 5737, RFC 3849), which no machine has.
enum AbsentAddresses {
    private static let ipv4: [UInt32] = [0xC000_02D5, 0xC633_64A7, 0xCB00_71BD]
    private static let ipv6: [UInt128] = [
        0x2001_0DB8_5A1C_0000_0000_0000_0000_00D5, 0x2001_0DB8_E3F7_0000_0000_0000_0000_00A7,
    ]

    /// Two of them, outside the network of the peer.
    static func addresses(avoiding peer: IPAddress) -> [IPAddress] {
        switch peer {
        case .v4(let peer):
            Array(ipv4.filter { $0 >> 8 != peer.bits >> 8 }.prefix(2)).map { .v4(IPv4Address(bits: $0)) }
        case .v6(let peer):
            peer.bits >> 96 == 0x2001_0DB8 ? [] : ipv6.map { .v6(IPv6Address(bits: $0)) }
        }
    }
}
