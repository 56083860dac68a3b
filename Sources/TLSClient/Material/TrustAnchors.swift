internal import COpenSSL

/// The authorities that a peer's chain may lead to: an entry under `authorities` of the configuration.
///
/// It never changes, and every worker may use it.
public final class TrustAnchors: Sendable {
    /// Reads PEM: one certificate or more; what stands around them is passed over.
    /// - Throws: where there is none, or one that cannot be read.
    public init(pem: [UInt8]) throws(TLSMaterialError) {
    }
}
