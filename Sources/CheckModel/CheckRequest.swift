public import ErrorCatalogue
public import NetworkTypes

/// One check as it was asked for: decoded, parsed and in range. Nothing in it needs to be judged for form again.
public struct CheckRequest: Sendable {
    public var target: Target
    /// Echoed in the result.
    public var id: String?
    /// Echoed in the result, in the order of the request.
    public var labels: [Label]?
    /// 1 … 60000: the whole check without its wait in the queue.
    public var timeoutMilliseconds: Int
    public var resolve = ResolveOptions()
    public var bind = BindOptions()
    public var socket = SocketOptions()
    /// nil: no handshake, unless a step of the dialog asks for one. A `tls://` target has one by defaults from the start.
    public var tls: TLSOptions?
    /// In order; empty for a check without a dialog.
    public var dialog: [DialogStep] = []
    public var expectation: Expectation = .transportSuccess
    /// nil for checks that nobody asked for over HTTP, or whose request says nothing of it.
    public var origin: RequestOrigin?

    public init(target: Target, timeoutMilliseconds: Int = 5000) {
        self.target = target
        self.timeoutMilliseconds = timeoutMilliseconds
        tls = target.impliesTLS ? TLSOptions() : nil
    }
}

/// A label that travels with a check.
public struct Label: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// How the addresses of a name are found and tried.
public struct ResolveOptions: Hashable, Sendable {
    public enum Family: String, CaseIterable, Sendable {
        case any, ipv4, ipv6

        /// Whether addresses of that family are tried.
        public func includes(_ family: AddressFamily) -> Bool {
            switch (self, family) {
            case (.any, _), (.ipv4, .ipv4), (.ipv6, .ipv6): true
            case (.ipv4, .ipv6), (.ipv6, .ipv4): false
            }
        }
    }
    public enum Addresses: String, CaseIterable, Sendable {
        /// One after another in the order of RFC 6724, until one connects.
        case first
        /// Every one at once; each has to connect.
        case all
        /// Happy Eyeballs, RFC 8305.
        case race
    }
    public var family: Family = .any
    public var addresses: Addresses = .first
    /// Ask this name server instead of the system's.
    public var server: IPEndpoint?
    /// Where a name has addresses of this family, the others are left out.
    public var preferredFamily: AddressFamily?
    /// Whether the first address alone is tried, whatever comes of it.
    public var triesOneAddress = false

    public init() {}
}

/// Where the socket is bound before it connects: bind(2), SO_BINDTODEVICE.
public struct BindOptions: Hashable, Sendable {
    public var address: IPAddress?
    /// 0 … 65535; nil and 0 leave the choice to the kernel.
    public var port: UInt16?
    public var interface: String?

    public init() {}
}

/// Options of the socket that the request may set.
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

    public init() {}
}

/// One step of a dialog with the peer.
public enum DialogStep: Hashable, Sendable {
    /// Wait until the pattern (PCRE2 over bytes) matches what came behind the previous match.
    case expect(pattern: String)
    /// Wait until these bytes come.
    case expectBytes([UInt8])
    /// Wait for a line that the pattern matches, and pass over those before it. A line is what stands before LF or CRLF,
    /// or before the peer's end; the pattern (RE2 over characters, as Go's `regexp`) sees nothing else.
    /// - Parameter labels: the values, filled in as `sendExpanded` is, are told in the step's report.
    case expectLine(pattern: String, labels: [Label])
    /// The next bytes have to be these: another one ends the dialog.
    case expectExactly([UInt8])
    /// Send this text, with `${name}` and `${1}` of earlier groups put in.
    case send(text: String)
    case sendBytes([UInt8])
    /// Send this text and a line feed, with `$1`, `$name`, `${1}` and `${name}` of the nearest expectation before it, as
    /// Go's `Regexp.Expand` has it: `$$` is a dollar sign, and what there is no group for is empty. An empty text sends nothing.
    case sendExpanded(template: [UInt8])
    /// Until the next `expect` is met, this pattern must not match.
    case reject(pattern: String)
    /// Begin with TLS here.
    case startTLS
    /// Begin with TLS, although it has begun: the step fails.
    case startTLSAgain
}

/// What makes `ok` true.
public enum Expectation: Hashable, Sendable {
    /// Any success.
    case transportSuccess
    case oneOf([Outcome])
    /// Any other outcome that says something about the target or the way to it.
    case not(Outcome)

    /// Whether a check that ended so ended as expected.
    ///
    /// `not` is never met by a fault of the prober, the resolver or the request: nothing was found out about the target.
    /// Only an outcome that is named covers such an end.
    /// - Parameter fault: of the error; nil for a success.
    public func isMet(by outcome: Outcome, fault: Fault?) -> Bool {
        switch self {
        case .transportSuccess: outcome.isSuccess
        case .oneOf(let outcomes): outcomes.contains(outcome)
        case .not(let unwanted): outcome != unwanted && fault.map(\.isAboutTarget) ?? true
        }
    }
}

/// Who asked for a check, and by which request: taken over into logs and, but for the client, into the result.
///
/// An object, since most checks have none.
public final class RequestOrigin: Sendable {
    /// The header field X-Request-Id.
    public let requestID: String?
    /// The header field `traceparent`, W3C Trace Context.
    public let traceparent: String?
    /// The name of the token that the request came with; without one that of the client's certificate, behind
    /// `certificatePrefix`.
    public let client: String?

    /// No token's name has a colon in it: no certificate passes for one.
    public static let certificatePrefix = "cert:"

    public static func isCertificate(_ client: String) -> Bool { client.hasPrefix(certificatePrefix) }

    public init(requestID: String?, traceparent: String?, client: String?) {
        self.requestID = requestID
        self.traceparent = traceparent
        self.client = client
    }
}
