/// One check as it was asked for: decoded, parsed and in range. Nothing in it needs to be judged for form again.
package struct CheckRequest: Sendable {
    package var target: Target
    /// Echoed in the result.
    package var id: String?
    /// Echoed in the result, in the order of the request.
    package var labels: [Label]?
    /// 1 … 60000: the whole check without its wait in the queue.
    package var timeoutMilliseconds: Int
    package var resolve = ResolveOptions()
    package var bind = BindOptions()
    package var socket = SocketOptions()
    /// nil: no handshake, unless a step of the dialog asks for one.
    package var tls: TLSOptions?
    /// In order; empty for a check without a dialog.
    package var dialog: [DialogStep] = []
    package var expectation: Expectation = .transportSuccess

    package init(target: Target, timeoutMilliseconds: Int = 5000) {
        self.target = target
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}

/// A label that travels with a check.
package struct Label: Hashable, Sendable {
    package let name: String
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// How the addresses of a name are found and tried.
package struct ResolveOptions: Hashable, Sendable {
    package enum Family: String, CaseIterable, Sendable {
        case any, ipv4, ipv6
    }
    package enum Addresses: String, CaseIterable, Sendable {
        /// One after another in the order of RFC 6724, until one connects.
        case first
        /// Every one at once; each has to connect.
        case all
        /// Happy Eyeballs, RFC 8305.
        case race
    }
    package var family: Family = .any
    package var addresses: Addresses = .first
    /// Ask this name server instead of the system's.
    package var server: IPEndpoint?

    package init() {}
}

/// Where the socket is bound before it connects: bind(2), SO_BINDTODEVICE.
package struct BindOptions: Hashable, Sendable {
    package var address: IPAddress?
    /// 0 … 65535; nil and 0 leave the choice to the kernel.
    package var port: UInt16?
    package var interface: String?

    package init() {}

    /// Whether bind(2) is called at all.
    package var bindsName: Bool { address != nil || (port ?? 0) != 0 }
}

/// Options of the socket that the request may set.
package struct SocketOptions: Hashable, Sendable {
    package enum Close: String, CaseIterable, Sendable {
        case fin, rst
    }
    package var close: Close = .fin
    /// 1 … 255: IP_TTL, IPV6_UNICAST_HOPS.
    package var ttl: Int?
    /// 0 … 63: the upper six bits of IP_TOS, IPV6_TCLASS.
    package var dscp: Int?
    /// 0 … 4294967295: SO_MARK.
    package var mark: UInt32?
    /// The name of a key in the configuration: TCP_MD5SIG.
    package var tcpMD5: String?
    /// 1 … 127: TCP_SYNCNT.
    package var tcpSynRetries: Int?
    /// TCP_FASTOPEN_CONNECT.
    package var tcpFastOpen = false
    /// IPPROTO_MPTCP.
    package var mptcp = false

    package init() {}
}

/// One step of a dialog with the peer.
package enum DialogStep: Hashable, Sendable {
    /// Wait until the pattern (PCRE2 over bytes) matches what came behind the previous match.
    case expect(pattern: String)
    /// Wait until these bytes come.
    case expectBytes([UInt8])
    /// Send this text, with `${name}` and `${1}` of earlier groups put in.
    case send(text: String)
    case sendBytes([UInt8])
}

/// What makes `ok` true.
package enum Expectation: Hashable, Sendable {
    /// Any success.
    case transportSuccess
    case oneOf([Outcome])
    case not(Outcome)

    package func isMet(by outcome: Outcome) -> Bool {
        switch self {
        case .transportSuccess: outcome.isSuccess
        case .oneOf(let outcomes): outcomes.contains(outcome)
        case .not(let unwanted): outcome != unwanted
        }
    }
}
