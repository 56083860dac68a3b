import COpenSSL
import Foundation
import TLS
import Testing

/// A self-signed certificate for one test run.
enum TestCertificate {
    /// A server context that accepts every client.
    static func makeServerContext() throws -> ServerContext {
        let key = try makeKey()
        defer { EVP_PKEY_free(key) }
        let certificate = try #require(X509_new())
        defer { X509_free(certificate) }
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
        X509_gmtime_adj(X509_getm_notBefore(certificate), -86400)
        X509_gmtime_adj(X509_getm_notAfter(certificate), 86400)
        X509_set_pubkey(certificate, key)
        let name = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_FLAG | 1, "localhost", -1, -1, 0)
        X509_set_issuer_name(certificate, name)
        try #require(X509_sign(certificate, key, EVP_sha256()) > 0)
        return try ServerContext(
            certificate: ClientCertificate(
                certificatePEM: pem { PEM_write_bio_X509($0, certificate) },
                keyPEM: pem { PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }),
            clientAuthorities: nil)
    }

    private static func makeKey() throws -> OpaquePointer {
        let context = try #require(EVP_PKEY_CTX_new_from_name(nil, "EC", nil))
        defer { EVP_PKEY_CTX_free(context) }
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_CTX_set_group_name(context, "P-256")
        var key: OpaquePointer?
        EVP_PKEY_generate(context, &key)
        return try #require(key)
    }

    private static func pem(_ write: (OpaquePointer?) -> Int32) -> [UInt8] {
        let memory = BIO_new(BIO_s_mem())
        defer { BIO_free(memory) }
        guard write(memory) == 1 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Int(BIO_ctrl_pending(memory))) { buffer, count in
            count = Int(max(BIO_read(memory, buffer.baseAddress, Int32(buffer.count)), 0))
        }
    }
}
