package import CheckModel
package import TLSClient
package import TLSServer

/// Everything that can be configured, validated: nothing in it needs to be judged for form again.
package struct Settings: Sendable {
    /// Never empty, without duplicates.
    package var listen: [ListenAddress]
    /// Where only `/livez`, `/readyz` and `/metrics` are answered.
    package var healthListen: [ListenAddress] = []
    /// What internet listeners, but health listeners, speak TLS by.
    package var https: ServerContext?
    /// Where there are any, every request needs one.
    package var tokens: [BearerToken] = []
    /// Whether `--allow-anonymous` was given. It says nothing where there are tokens.
    package var allowsAnonymous = false
    /// Names in small letters that a Host header may carry, beside addresses and localhost.
    package var hosts: [String] = []
    package var policy: PolicySettings
    /// Whether the configuration says what may be reached: a profile, or at least one rule.
    package var statesPolicy = false
    package var limits = LimitSettings()
    package var drain = DrainSettings()
    /// 0: one for each core.
    package var workers = 0
    /// The keys of TCP_MD5SIG by name, each of 1 … 80 bytes.
    package var md5Keys: [String: Secret] = [:]
    /// What `tls.ca` may name.
    package var authorities: [String: TrustAnchors] = [:]
    /// What `tls.client_certificate` may name.
    package var clientCertificates: [String: LentCertificate] = [:]
    /// In the order of the file, no name twice.
    package var monitors: [MonitorSettings] = []
    /// The modules of `modules_file`, for `/probe`.
    package var modules = ModulesFile()
    package var log = LogSettings()
    /// Whether there is nothing in the file: another empty one takes nothing away.
    package var isOfEmptyFile = false
}
