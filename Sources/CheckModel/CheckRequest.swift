public import ErrorCatalogue
public import NetworkTypes

/// A check request, decoded and validated.
public struct CheckRequest: Sendable {
    public var target: Target
    /// Echoed in the result.
    public var id: String?
    /// Echoed in the result, in the order of the request.
    public var labels: [Label]?
    /// 1 … 60000: the limit for the whole check, without its wait in the queue.
    public var timeoutMilliseconds: Int
    /// How long to watch the connection after the connect; 0 for no phase `hold`. Less than the timeout.
    public var holdMilliseconds: UInt16 = 0
    /// 1 … `largestCount`: how many rounds to run. The timeout applies to each.
    public var count: UInt16 = 1
    /// 0 … 60000: the pause between two rounds.
    public var intervalMilliseconds: UInt16 = 0
    /// Whether to reset the connection instead of completing its handshake.
    public var isHalfOpen = false
    public var resolve = ResolveOptions()
    public var bind = BindOptions()
    public var socket = SocketOptions()
    /// The question to ask over UDP instead of a dialog; nil for none. A `quic://` target has the preset `quic`.
    public var preset: UDPPreset?
    /// The TLS handshake; nil for none, unless a dialog step starts one. A `tls://` target has one with default
    /// options.
    public var tls: TLSOptions?
    /// The steps of the dialog in order; empty for a check without a dialog.
    public var dialog: [DialogStep] = []
    /// The trace that follows the check; nil for none.
    public var trace: TraceOptions?
    public var expectation: Expectation = .transportSuccess
    /// nil for checks that did not come over HTTP, or whose request has none of its members.
    public var origin: RequestOrigin?

    /// The largest number of rounds of one check.
    public static let largestCount = 1000
    /// How long all rounds together may take, with the pauses between them.
    public static let longestRoundsMilliseconds = 60_000

    /// Inlined: otherwise the whole value would be copied on the way to the caller.
    @inline(__always)
    public init(target: Target, timeoutMilliseconds: Int = 5000) {
        self.target = target
        self.timeoutMilliseconds = timeoutMilliseconds
        tls = target.impliesTLS ? TLSOptions() : nil
        preset = target.impliesQUIC ? .quic : nil
    }
}

extension CheckRequest {
    /// The longest time that the check can take: its timeout, or that of all rounds with the pauses between them.
    public var longestMilliseconds: Int { Int(count) * timeoutMilliseconds + pausesMilliseconds }

    /// The longest time until there is a result: that of the check, and that of its trace.
    public var longestMillisecondsWithTrace: Int {
        longestMilliseconds + (trace.map { $0.when == .never ? 0 : $0.timeoutMilliseconds } ?? 0)
    }

    /// The time of all pauses between rounds.
    public var pausesMilliseconds: Int { max(Int(count) - 1, 0) * Int(intervalMilliseconds) }
}

/// A label of a check, copied into its result.
public struct Label: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// Options for resolving a name and for trying its addresses.
public struct ResolveOptions: Hashable, Sendable {
    public enum Family: String, CaseIterable, Sendable {
        case any, ipv4, ipv6

        /// Whether addresses of that family are used.
        public func includes(_ family: AddressFamily) -> Bool {
            switch (self, family) {
            case (.any, _), (.ipv4, .ipv4), (.ipv6, .ipv6): true
            case (.ipv4, .ipv6), (.ipv6, .ipv4): false
            }
        }
    }
    public enum Addresses: String, CaseIterable, Sendable {
        /// One by one in the order of RFC 6724, until one connects.
        case first
        /// All at once; each must connect.
        case all
        /// Happy Eyeballs, RFC 8305.
        case race
    }
    public var family: Family = .any
    public var addresses: Addresses = .first
    /// The name server to use instead of the system's.
    public var server: IPEndpoint?
    /// If the name has addresses of this family, the others are not used.
    public var preferredFamily: AddressFamily?
    /// Whether only the first address is tried, even if it fails.
    public var triesOneAddress = false

    public init() {}
}

/// Options for binding the socket before the connect: bind(2), SO_BINDTODEVICE.
public struct BindOptions: Hashable, Sendable {
    public var address: IPAddress?
    /// 0 … 65535; for nil and 0 the kernel chooses.
    public var port: UInt16?
    public var interface: String?

    public init() {}
}

/// Socket options of a request.
public struct SocketOptions: Hashable, Sendable {
    public enum Close: String, CaseIterable, Sendable {
        case fin, rst
    }
    public var close: Close = .fin
    /// 1 … 255: IP_TTL, IPV6_UNICAST_HOPS.
    public var ttl: Int?
    /// 0 … 63: the upper six bits of IP_TOS, IPV6_TCLASS.
    public var dscp: Int?
    /// 0 … 4294967295: SO_MARK.
    public var mark: UInt32?
    /// The name of a key in the configuration: TCP_MD5SIG.
    public var tcpMD5: String?
    /// 1 … 127: TCP_SYNCNT.
    public var tcpSynRetries: Int?
    /// TCP_FASTOPEN_CONNECT.
    public var tcpFastOpen = false
    /// IPPROTO_MPTCP.
    public var mptcp = false
    /// TCP_MAXSEG, in bytes: the longest segment to send and to ask for. No request has it; a diagnosis sets it.
    public var maximumSegment: UInt16?

    public init() {}
}

/// One step of a dialog with the peer.
public enum DialogStep: Hashable, Sendable {
    /// Waits until the pattern (PCRE2 over bytes) matches the bytes received after the previous match.
    case expect(pattern: String)
    /// Waits until these bytes arrive.
    case expectBytes([UInt8])
    /// Waits for a line that matches the pattern, and skips the lines before it. A line ends before LF, CRLF or EOF;
    /// the pattern (RE2 over characters, as Go's `regexp`) sees only the line.
    /// - Parameter labels: The values are expanded as in `sendExpanded`, and put into the step's report.
    case expectLine(pattern: String, labels: [Label])
    /// Waits for exactly these bytes: any other byte ends the dialog.
    case expectExactly([UInt8])
    /// Sends this text, with `${name}` and `${1}` replaced by earlier groups.
    case send(text: String)
    case sendBytes([UInt8])
    /// Sends this text and a line feed, with `$1`, `$name`, `${1}` and `${name}` replaced by groups of the latest
    /// expectation, as by Go's `Regexp.Expand`: `$$` is a dollar sign, and a missing group is empty. An empty text
    /// sends nothing.
    case sendExpanded(template: [UInt8])
    /// Fails the dialog if this pattern matches before the next `expect` is met.
    case reject(pattern: String)
    /// Starts TLS.
    case startTLS
    /// Starts TLS although it has already started: the step fails.
    case startTLSAgain
}

/// The condition for `ok` to be true.
public enum Expectation: Hashable, Sendable {
    /// Any success.
    case transportSuccess
    case oneOf([Outcome])
    /// Any other outcome that says something about the target or the path to it.
    case not(Outcome)

    /// Whether the expectation is met.
    ///
    /// `not` is never met by a fault of the prober, the resolver or the request, which says nothing about the target.
    /// Only `oneOf` can name such an outcome.
    /// - Parameter fault: The fault of the error; nil for a success.
    public func isMet(by outcome: Outcome, fault: Fault?) -> Bool {
        switch self {
        case .transportSuccess: outcome.isSuccess
        case .oneOf(let outcomes): outcomes.contains(outcome)
        case .not(let unwanted): outcome != unwanted && fault.map(\.isAboutTarget) ?? true
        }
    }
}

/// The client and the request that a check came from. It is copied into logs and, except for the client, into the
/// result.
///
/// A class, because most checks have none.
public final class RequestOrigin: Sendable {
    /// The header field X-Request-Id.
    public let requestID: String?
    /// The header field `traceparent`, W3C Trace Context.
    public let traceparent: String?
    /// The name of the request's token; without a token, `certificatePrefix` and the name of the client's certificate; for a
    /// request of the fleet, `fleetPrefix` and the name of the asker.
    public let client: String?

    /// Token names have no colon, so a certificate cannot be mistaken for a token.
    public static let certificatePrefix = "cert:"

    /// Before the name that an asker in the fleet gives itself.
    public static let fleetPrefix = "fleet:"

    /// The prefix of names that the configuration does not list; nil for the name of a token.
    public static func openPrefix(of client: String) -> String? {
        [certificatePrefix, fleetPrefix].first(where: client.hasPrefix)
    }

    public init(requestID: String?, traceparent: String?, client: String?) {
        self.requestID = requestID
        self.traceparent = traceparent
        self.client = client
    }
}
