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

    /// Whether the broker can know who this instance is.
    package var provesIdentity: Bool { credentials != nil || certificate != nil }
}

extension FleetSettings: Equatable {
    package static func == (left: FleetSettings, right: FleetSettings) -> Bool {
        left.servers == right.servers && left.credentials == right.credentials
            && left.certificate?.path == right.certificate?.path
            && left.certificate?.keyPath == right.certificate?.keyPath && left.authorities == right.authorities
            && left.place == right.place && left.labels == right.labels && left.answers == right.answers
            && left.prefix == right.prefix
    }
}

extension FleetSettings.Credentials: Equatable {
    package static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.file(let one), .file(let other)): one == other
        case (.token(let one), .token(let other)): one.matches(other.reveal())
        case (.user(let one, let secret), .user(let other, let otherSecret)):
            one == other && secret.matches(otherSecret.reveal())
        case (.file, _), (.token, _), (.user, _): false
        }
    }
}
