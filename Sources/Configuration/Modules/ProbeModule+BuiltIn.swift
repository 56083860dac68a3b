extension ProbeModule {
    /// The modules that there are without a `modules_file`.
    package static let builtIn: [ProbeModule] = {
        var tls = ProbeModule(name: "tcp_tls", prober: .tcp)
        tls.usesTLS = true
        return [ProbeModule(name: "tcp_connect", prober: .tcp), tls, ProbeModule(name: "unix_connect", prober: .unix)]
    }()
}
