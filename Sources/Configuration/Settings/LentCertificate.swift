package import CheckModel
package import TLSClient

/// A client certificate that requests may name.
package struct LentCertificate: Sendable {
    package let certificate: ClientCertificate
    /// The targets that it is there for; nil: every one.
    package let targets: [TargetPattern]?
}
