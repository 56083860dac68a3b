internal import COpenSSL
package import CheckModel

/// The configured entries that handshakes can use, by name.
public final class TLSMaterial: Sendable {
    /// The entries for `tls.ca`.
    public let authorities: [String: TrustAnchors]
    /// The entries for `tls.client_certificate`.
    public let clientCertificates: [String: ClientCertificate]

    public init(
        authorities: [String: TrustAnchors] = [:], clientCertificates: [String: ClientCertificate] = [:]
    ) {
        self.authorities = authorities
        self.clientCertificates = clientCertificates
    }
}

/// Why a file of certificates or keys cannot be used: a predicate about the file, without any part of a key.
public struct TLSMaterialError: Error, Hashable, Sendable {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}

/// A certificate with its key and the rest of its chain: an entry of `client_certificates` in the configuration.
///
/// It is immutable, and all workers share it.
public final class ClientCertificate: Sendable {
    private let list: CertificateList
    private let key: PrivateKey

    /// Reads PEM: the certificate first, then the rest of its chain; and its key, without a passphrase.
    /// - Throws: if one cannot be read, or the key does not match the certificate.
    public init(certificatePEM: [UInt8], keyPEM: [UInt8]) throws(TLSMaterialError) {
        list = try CertificateList(pem: certificatePEM)
        key = try PrivateKey(pem: keyPEM)
        defer { ERR_clear_error() }
        // A list without a certificate was already rejected.
        guard X509_check_private_key(list.certificates[0], key.key) == 1 else {
            throw TLSMaterialError("has a key that is not the certificate's")
        }
    }

    /// When the chain's validity starts and ends, in seconds since 1970; nil if there is no such date.
    package var validity: (notBefore: Int64, notAfter: Int64)? {
        let reports = list.certificates.map { CertificateReader.report(of: $0, now: 0) }
        guard let begin = reports.compactMap(\.notBefore).max(), let end = reports.compactMap(\.notAfter).min() else {
            return nil
        }
        return (begin, end)
    }

    /// The certificate itself.
    package var report: CertificateReport { CertificateReader.report(of: list.certificates[0], now: 0) }

    /// Makes connections of this context present the certificate if a peer requests one. OpenSSL takes its own
    /// references.
    /// - Parameter context: an SSL_CTX, owned by the caller.
    /// - Returns: false if OpenSSL rejects it, such as a key too short for the security level. The reason is in its
    /// error queue.
    package func use(in context: OpaquePointer) -> Bool {
        SSL_CTX_use_certificate(context, list.certificates[0]) == 1
            && list.certificates.dropFirst().allSatisfy { connectd_add_chain_certificate(context, $0) == 1 }
            && SSL_CTX_use_PrivateKey(context, key.key) == 1
    }
}

/// A private key with one reference.
final class PrivateKey: Sendable {
    // SAFETY: the reference count of an EVP_PKEY is atomic, and nothing here changes it after it is parsed. OpenSSL
    // caches data for its providers in it under its own lock. So threads may share it. Only `deinit` drops the
    // reference, when the key has no users.
    nonisolated(unsafe) let key: OpaquePointer

    /// Reads PEM: the first key, which must have no passphrase. Errors contain no byte of it.
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

/// The authorities that a peer's chain can end at: an entry of `authorities` in the configuration.
///
/// It is immutable, and all workers share it.
public final class TrustAnchors: Sendable {
    private let list: CertificateList

    /// Reads PEM: 1 to 1000 certificates. Text around them is ignored.
    /// - Throws: if there is none, or one cannot be read.
    public init(pem: [UInt8]) throws(TLSMaterialError) {
        list = try CertificateList(pem: pem)
    }

    /// Whether this contains all of the other's certificates.
    package func includesAll(of other: TrustAnchors) -> Bool {
        other.list.certificates.allSatisfy { known in list.certificates.contains { X509_cmp($0, known) == 0 } }
    }

    /// Adds each of them to a store: X509_STORE_add_cert(3), which takes its own references.
    /// - Parameter store: an X509_STORE, owned by the caller.
    /// - Returns: false if OpenSSL is out of memory.
    @discardableResult
    package func addAll(to store: OpaquePointer) -> Bool {
        list.certificates.allSatisfy { X509_STORE_add_cert(store, $0) == 1 }
    }

    /// Lists their names in certificate requests, so that clients can choose a certificate: SSL_CTX_add_client_CA(3),
    /// which copies the names. A long list is omitted, because each handshake would send it.
    /// - Parameter context: an SSL_CTX, owned by the caller.
    /// - Returns: false if OpenSSL is out of memory.
    package func nameAll(in context: OpaquePointer) -> Bool {
        guard list.certificates.count <= 64 else { return true }
        return list.certificates.allSatisfy { SSL_CTX_add_client_CA(context, $0) == 1 }
    }
}
