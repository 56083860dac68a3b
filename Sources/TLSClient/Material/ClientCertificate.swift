internal import COpenSSL
package import CheckModel

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

    /// When the last of the chain's certificates begins to be valid, and when the first one expires, in seconds since 1970;
    /// nil where there is no such date.
    package var validity: (notBefore: Int64, notAfter: Int64)? {
        let reports = list.certificates.map { CertificateReader.report(of: $0, now: 0) }
        guard let begin = reports.compactMap(\.notBefore).max(), let end = reports.compactMap(\.notAfter).min() else {
            return nil
        }
        return (begin, end)
    }

    /// The certificate itself.
    package var report: CertificateReport { CertificateReader.report(of: list.certificates[0], now: 0) }

    /// Has connections of this context show the certificate when a peer asks for one; OpenSSL takes references of its own.
    /// - Parameter context: an SSL_CTX, the caller's.
    /// - Returns: false where OpenSSL refuses it (a key too short for the security level): why is in its queue of errors.
    package func use(in context: OpaquePointer) -> Bool {
        SSL_CTX_use_certificate(context, list.certificates[0]) == 1
            && list.certificates.dropFirst().allSatisfy { connectd_add_chain_certificate(context, $0) == 1 }
            && SSL_CTX_use_PrivateKey(context, key.key) == 1
    }
}
