package import CheckEngine

/// What the resources need of the configuration. A request keeps what was in force when it came.
package final class ServiceSettings: Sendable {
    package let surroundings: Surroundings
    package let permissions: RequestPermissions
    package let hosts: HostRule
    package let tokens: TokenRule
    /// The longest `timeout_ms` that a request may ask for, 1 … 60000.
    package let maximumTimeoutMilliseconds: Int
    /// The longest body of `/v1/routes`.
    package let bodyBytes: Int
    /// What `/probe` knows.
    package let modules: BlackboxModules
    /// When the certificate of HTTPS expires, in seconds since 1970; nil without HTTPS.
    package let certificateExpiry: Int64?
    /// The prober's name in results; nil in the profile `public`, which tells nothing of the prober's own side.
    package let prober: String?

    package init(
        surroundings: Surroundings, permissions: RequestPermissions, hosts: HostRule, tokens: TokenRule,
        maximumTimeoutMilliseconds: Int, bodyBytes: Int, modules: BlackboxModules = BlackboxModules(),
        certificateExpiry: Int64? = nil, prober: String?
    ) {
        self.certificateExpiry = certificateExpiry
        self.surroundings = surroundings
        self.permissions = permissions
        self.hosts = hosts
        self.tokens = tokens
        self.maximumTimeoutMilliseconds = maximumTimeoutMilliseconds
        self.bodyBytes = bodyBytes
        self.modules = modules
        self.prober = prober
    }
}
