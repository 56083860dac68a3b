internal import COpenSSL

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
