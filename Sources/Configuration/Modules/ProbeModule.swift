package import CheckEngine
package import CheckModel
package import NetworkTypes

/// A module of a file in the format of blackbox_exporter: how `/probe` checks the targets that come with its name.
package struct ProbeModule: Sendable {
    package enum Prober: String, CaseIterable, Sendable {
        case tcp, unix
    }

    package let name: String
    package let prober: Prober
    /// 0: the module sets no limit of its own.
    package var timeoutNanoseconds: Int64 = 0
    /// The timeout as it was written.
    package var timeoutText: String?
    /// The family of addresses that is taken where there is one; `tcp` alone.
    package var preferredFamily = AddressFamily.ipv6
    /// Whether an address of the other family will do; `tcp` alone.
    package var mayFallBack = true
    /// `tcp` alone.
    package var sourceAddress: IPAddress?
    /// Why every probe fails before it connects: `source_ip_address` is not an address.
    package var sourceDefect: String?
    package var queryResponse: [QueryResponse] = []
    /// What `queryResponse` says, as steps of a dialog, and compiled; nil where there is none.
    package var dialog: (steps: [DialogStep], compiled: Dialog)?
    /// Whether TLS is there from the first byte.
    package var usesTLS = false
    package var tls = ModuleTLS()

    /// Whether a probe gets as far as TLS, if the peer lets it.
    package var beginsTLS: Bool { usesTLS || queryResponse.contains(where: \.startsTLS) }

    package init(name: String, prober: Prober) {
        self.name = name
        self.prober = prober
    }
}

/// One entry of `query_response`: what is expected, then what is sent, then whether TLS begins.
package struct QueryResponse: Sendable {
    /// A regular expression that one line has to match.
    package var expect: String?
    /// The next bytes after the line that `expect` matched; empty: none are expected.
    package var expectBytes: [UInt8] = []
    /// Templates of the labels of `probe_expect_info`, by what `expect` matched.
    package var labels: [Label] = []
    /// Without its line feed; empty: nothing is sent.
    package var send: [UInt8] = []
    package var startsTLS = false

    package init() {}

    /// The same as steps of a dialog. What is sent ends in a line feed, and takes in groups of its own entry's match.
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
    /// The modules that there are without a `modules_file`.
    package static let builtIn: [ProbeModule] = {
        var tls = ProbeModule(name: "tcp_tls", prober: .tcp)
        tls.usesTLS = true
        return [ProbeModule(name: "tcp_connect", prober: .tcp), tls, ProbeModule(name: "unix_connect", prober: .unix)]
    }()
}
