package import CheckModel
internal import NetworkTypes

/// The key `fleet`: how this instance reaches the other places, and what it is among them.
package struct FleetSettings: Sendable {
    /// Proves to the broker who this instance is.
    package enum Credentials: Sendable {
        /// A file with a JWT and a seed, as `nsc` writes it. Its path.
        case file(String)
        case token(Secret)
        case user(String, password: Secret)
    }

    /// URLs with the scheme nats or tls and without a secret; never empty.
    package var servers: [String]
    /// nil: none but perhaps a certificate.
    package var credentials: Credentials?
    /// The paths of a client certificate and its key, PEM.
    package var certificate: (path: String, keyPath: String)?
    /// The certificates, PEM, that must sign the broker's; nil for the system's.
    package var authorities: String?
    package var place: PlaceName
    package var labels: [String: String] = [:]
    /// Whether it runs checks for other places.
    package var answers = true
    /// The first tokens of all subjects, without a trailing dot.
    package var prefix = "connectd"

    package init(servers: [String], place: PlaceName) {
        self.servers = servers
        self.place = place
    }
}
