internal import COpenSSL

/// A certificate with its key and the chain behind it: an entry under `client_certificates` of the configuration.
///
/// It never changes, and every worker may use it.
public final class ClientCertificate: Sendable {
    private let list: CertificateList
    private let key: PrivateKey

    /// Reads PEM: the certificate first, then the rest of its chain; and its key, without a passphrase.
    /// - Throws: where one cannot be read, or the key is another certificate's.
    public init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(TLSMaterialError) {
        list = try CertificateList(pem: certificatePEM)
        key = try PrivateKey(pem: keyPEM)
        defer { ERR_clear_error() }
        // A list without a certificate has been refused.
        guard X509_check_private_key(list.certificates[0], key.key) == 1 else {
            throw TLSMaterialError("has a key that is not the certificate's")
        }
    }

    /// Has connections of this context show the certificate when a peer asks for one; OpenSSL takes references of its own.
    /// - Parameter context: an SSL_CTX, the caller's.
    /// - Returns: false where OpenSSL refuses it (a key too short for the security level): why is in its queue of errors.
    package func use(in context: OpaquePointer) -> Bool {
        SSL_CTX_use_certificate(context, list.certificates[0]) == 1
            && list.certificates.dropFirst().allSatisfy { connectd_add_chain_certificate(context, $0) == 1 }
            && SSL_CTX_use_PrivateKey(context, key.key) == 1
    }
}
