internal import COpenSSL

/// A certificate with its key and the chain behind it: an entry under `client_certificates` of the configuration.
///
/// It never changes, and every worker may use it.
public final class ClientCertificate: Sendable {
    /// Reads PEM: the certificate first, then the rest of its chain; and its key, without a passphrase.
    /// - Throws: where one cannot be read, or the key is another certificate's.
    public init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(TLSMaterialError) {
    }
}
