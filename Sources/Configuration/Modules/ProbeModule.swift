package import CheckModel

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
    package var queryResponse: [QueryResponse] = []
    /// Whether TLS is there from the first byte.
    package var usesTLS = false
    package var tls = ModuleTLS()

    package init(name: String, prober: Prober) {
        self.name = name
        self.prober = prober
    }
}

/// One entry of `query_response`: what is expected, then what is sent, then whether TLS begins.
package struct QueryResponse: Sendable {
    /// A regular expression that one line has to match.
    package var expect: String?
    package var expectBytes: String?
    /// Templates of the labels of `probe_expect_info`, by what `expect` matched.
    package var labels: [Label] = []
    /// Without its line feed; empty: nothing is sent.
    package var send = ""
    package var startsTLS = false
    /// Where it stands, for what is found wrong with it later.
    package let source: ConfigurationProblem.Source
    /// `modules.smtp.tcp.query_response[0]`.
    package let path: String

    package init(source: ConfigurationProblem.Source, path: String) {
        self.source = source
        self.path = path
    }
}
