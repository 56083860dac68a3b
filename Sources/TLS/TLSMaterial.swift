internal import COpenSSL
package import CheckModel

/// What the configuration lends to handshakes, by the names that requests use.
public final class TLSMaterial: Sendable {
    /// `tls.ca`.
    public let authorities: [String: TrustAnchors]
    /// `tls.client_certificate`.
    public let clientCertificates: [String: ClientCertificate]

    public init(
        authorities: [String: TrustAnchors] = [:], clientCertificates: [String: ClientCertificate] = [:]
    ) {
        self.authorities = authorities
        self.clientCertificates = clientCertificates
    }
}

/// Why a file of certificates or keys cannot be used: the end of a sentence about the file, without anything of a key in it.
public struct TLSMaterialError: Error, Hashable, Sendable {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}

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

/// A private key, held by one reference.
final class PrivateKey: Sendable {
    // SAFETY: an EVP_PKEY is counted by atomic operations, and nothing here changes it once it is parsed; what OpenSSL
    // caches in it for its providers is put there under a lock of its own, so threads may share it. The reference is given
    // back by `deinit` alone, when nobody holds the key any more.
    nonisolated(unsafe) let key: OpaquePointer

    /// Reads PEM: the first key, which must have no passphrase. No byte of it gets into an error.
    init(pem: [UInt8]) throws(TLSMaterialError) {
        var wasAsked = false
        let read = PEM.withBytes(pem) { bio in
            withUnsafeMutablePointer(to: &wasAsked) { PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, $0) }
        }
        guard let key = read ?? nil else {
            throw TLSMaterialError(wasAsked ? "has a key that needs a passphrase" : "has no key that is readable")
        }
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }
}

/// The authorities that a peer's chain may lead to: an entry under `authorities` of the configuration.
///
/// It never changes, and every worker may use it.
public final class TrustAnchors: Sendable {
    private let list: CertificateList

    /// Reads PEM: one certificate or more, at most 1000; what stands around them is passed over.
    /// - Throws: where there is none, or one that cannot be read.
    public init(pem: [UInt8]) throws(TLSMaterialError) {
        list = try CertificateList(pem: pem)
    }

    /// Whether each of the others is among these.
    package func includesAll(of other: TrustAnchors) -> Bool {
        other.list.certificates.allSatisfy { known in list.certificates.contains { X509_cmp($0, known) == 0 } }
    }

    /// Trusts each of them: X509_STORE_add_cert(3), which takes references of its own.
    /// - Parameter store: an X509_STORE, the caller's.
    /// - Returns: false where OpenSSL finds no memory.
    @discardableResult
    package func addAll(to store: OpaquePointer) -> Bool {
        list.certificates.allSatisfy { X509_STORE_add_cert(store, $0) == 1 }
    }

    /// Names each of them to clients that are asked for a certificate, which choose by that: SSL_CTX_add_client_CA(3), which
    /// takes copies of the names. A long list is left out: it would be sent in each handshake.
    /// - Parameter context: an SSL_CTX, the caller's.
    /// - Returns: false where OpenSSL finds no memory.
    package func nameAll(in context: OpaquePointer) -> Bool {
        guard list.certificates.count <= 64 else { return true }
        return list.certificates.allSatisfy { SSL_CTX_add_client_CA(context, $0) == 1 }
    }
}
