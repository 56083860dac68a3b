package import CheckModel
package import Dialog
package import NetworkTypes

/// A module in the format of blackbox_exporter: how `/probe` checks its targets.
package struct ProbeModule: Sendable {
    package enum Prober: String, CaseIterable, Sendable {
        case tcp, unix
    }

    package let name: String
    package let prober: Prober
    /// 0 means that the module sets no timeout.
    package var timeoutNanoseconds: Int64 = 0
    /// The timeout as written.
    package var timeoutText: String?
    /// The preferred address family; only for `tcp`.
    package var preferredFamily = AddressFamily.ipv6
    /// Whether the other family may be used instead; only for `tcp`.
    package var mayFallBack = true
    /// Only for `tcp`.
    package var sourceAddress: IPAddress?
    /// Why every probe fails before it connects: `source_ip_address` is not an address.
    package var sourceDefect: String?
    package var queryResponse: [QueryResponse] = []
    /// `queryResponse` as dialog steps, and compiled; nil if it is empty.
    package var dialog: (steps: [DialogStep], compiled: Dialog)?
    /// Whether TLS starts right after the connect.
    package var usesTLS = false
    package var tls = ModuleTLS()

    /// Whether a probe uses TLS at all.
    package var beginsTLS: Bool { usesTLS || queryResponse.contains(where: \.startsTLS) }

    package init(name: String, prober: Prober) {
        self.name = name
        self.prober = prober
    }
}

/// One entry of `query_response`: expect, then send, then STARTTLS.
package struct QueryResponse: Sendable {
    /// A regular expression that one line must match.
    package var expect: String?
    /// The expected bytes after the line that `expect` matched; empty for none.
    package var expectBytes: [UInt8] = []
    /// Templates for the labels of `probe_expect_info`, filled with the groups of `expect`.
    package var labels: [Label] = []
    /// Without the line feed; empty for nothing.
    package var send: [UInt8] = []
    package var startsTLS = false

    package init() {}

    /// The entry as dialog steps. Sent text ends with a line feed, and may contain groups of the entry's own match.
    var steps: [DialogStep] {
        var steps: [DialogStep] = []
        if let expect { steps.append(.expectLine(pattern: expect, labels: labels)) }
        if !expectBytes.isEmpty { steps.append(.expectExactly(expectBytes)) }
        if !send.isEmpty {
            steps.append(expect == nil ? .sendBytes(send + [UInt8(ascii: "\n")]) : .sendExpanded(template: send))
        }
        if startsTLS { steps.append(.startTLS) }
        return steps
    }
}

extension ProbeModule {
    /// The modules without a `modules_file`.
    package static let builtIn: [ProbeModule] = {
        var tls = ProbeModule(name: "tcp_tls", prober: .tcp)
        tls.usesTLS = true
        return [ProbeModule(name: "tcp_connect", prober: .tcp), tls, ProbeModule(name: "unix_connect", prober: .unix)]
    }()
}
