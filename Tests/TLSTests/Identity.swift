import COpenSSL
import Foundation
import Testing

/// A certificate with its key, made on the spot.
struct Identity: Sendable {
    enum Key: String, Sendable {
        case p256 = "P-256"
        case p384 = "P-384"
        case ed25519 = "ED25519"
        case rsa512, rsa1024, rsa2048
    }

    /// What is to be made; what nobody says is in order.
    struct Plan: Sendable {
        var name = "a.example"
        var alternativeNames: String? = "DNS:a.example"
        var key = Key.p256
        var digest = "SHA256"
        var beginsInDays = -10
        var endsInDays = 90
        /// What stands in place of the end, as it is to be encoded: UTCTime is no more than a text.
        var endText: String?
        /// RFC 7633.
        var mustStaple = false
        var isAuthority = false
    }

    /// DER.
    let certificate: [UInt8]
    let key: [UInt8]

    struct Failure: Error {
        let reason: String
    }

    /// - Parameter issuer: nil for a self-signed one.
    init(_ plan: Plan = Plan(), issuer: Identity? = nil) throws {
        let key = try Self.makeKey(plan.key)
        defer { EVP_PKEY_free(key) }
        let certificate = try #require(X509_new())
        defer { X509_free(certificate) }
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1..<Int.max))
        X509_gmtime_adj(X509_getm_notBefore(certificate), plan.beginsInDays * 86400)
        X509_gmtime_adj(X509_getm_notAfter(certificate), plan.endsInDays * 86400)
        if let text = plan.endText { ASN1_STRING_set(X509_getm_notAfter(certificate), text, Int32(text.utf8.count)) }
        X509_set_pubkey(certificate, key)
        X509_NAME_add_entry_by_txt(
            X509_get_subject_name(certificate), "CN", MBSTRING_FLAG | 1, plan.name, Int32(plan.name.utf8.count), -1, 0)
        try Self.sign(certificate, plan, key: key, issuer: issuer)
        self.certificate = try Self.der { i2d_X509(certificate, $0) }
        self.key = try Self.der { i2d_PrivateKey(key, $0) }
    }

    private static func sign(
        _ certificate: OpaquePointer, _ plan: Plan, key: OpaquePointer, issuer: Identity?
    ) throws {
        let above = try issuer?.openCertificate()
        defer { X509_free(above) }
        let aboveKey = try issuer?.openKey()
        defer { EVP_PKEY_free(aboveKey) }
        X509_set_issuer_name(certificate, X509_get_subject_name(above ?? certificate))
        try add(NID_basic_constraints, plan.isAuthority ? "critical,CA:TRUE" : "CA:FALSE", to: certificate)
        if plan.mustStaple { try add(NID_tlsfeature, "status_request", to: certificate) }
        if let names = plan.alternativeNames { try add(NID_subject_alt_name, names, to: certificate) }
        let digest = plan.key == .ed25519 && issuer == nil ? nil : EVP_get_digestbyname(plan.digest)
        guard X509_sign(certificate, aboveKey ?? key, digest) > 0 else { throw Failure(reason: "X509_sign") }
    }

    private static func add(_ kind: Int32, _ value: String, to certificate: OpaquePointer) throws {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        let found = X509V3_EXT_conf_nid(nil, &context, kind, value)
        let `extension` = try #require(found)
        defer { X509_EXTENSION_free(`extension`) }
        X509_add_ext(certificate, `extension`, -1)
    }

    private static func makeKey(_ kind: Key) throws -> OpaquePointer {
        let algorithm =
            switch kind {
            case .p256, .p384: "EC"
            case .ed25519: "ED25519"
            case .rsa512, .rsa1024, .rsa2048: "RSA"
            }
        let context = try #require(EVP_PKEY_CTX_new_from_name(nil, algorithm, nil))
        defer { EVP_PKEY_CTX_free(context) }
        EVP_PKEY_keygen_init(context)
        switch kind {
        case .p256, .p384: EVP_PKEY_CTX_set_group_name(context, kind.rawValue)
        case .ed25519: break
        case .rsa512: EVP_PKEY_CTX_set_rsa_keygen_bits(context, 512)
        case .rsa1024: EVP_PKEY_CTX_set_rsa_keygen_bits(context, 1024)
        case .rsa2048: EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
        }
        var key: OpaquePointer?
        EVP_PKEY_generate(context, &key)
        return try #require(key)
    }

    private static func der(
        _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) throws -> [UInt8] {
        let count = write(nil)
        guard count > 0 else { throw Failure(reason: "DER") }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            var position = buffer.baseAddress
            filled = Int(write(&position))
        }
    }

    /// An X509 of the caller's.
    func openCertificate() throws -> OpaquePointer {
        let opened = certificate.withUnsafeBufferPointer { buffer in
            var position = buffer.baseAddress
            return d2i_X509(nil, &position, buffer.count)
        }
        return try #require(opened)
    }

    /// An EVP_PKEY of the caller's.
    func openKey() throws -> OpaquePointer {
        let opened = key.withUnsafeBufferPointer { buffer in
            var position = buffer.baseAddress
            return d2i_AutoPrivateKey(nil, &position, buffer.count)
        }
        return try #require(opened)
    }

    var certificatePEM: [UInt8] { Self.pem("CERTIFICATE", certificate) }
    var keyPEM: [UInt8] { Self.pem("PRIVATE KEY", keyPKCS8) }

    private var keyPKCS8: [UInt8] {
        guard let opened = try? openKey() else { return [] }
        defer { EVP_PKEY_free(opened) }
        let info = EVP_PKEY2PKCS8(opened)
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        return (try? Self.der { i2d_PKCS8_PRIV_KEY_INFO(info, $0) }) ?? []
    }

    private static func pem(_ kind: String, _ der: [UInt8]) -> [UInt8] {
        let text = Data(der).base64EncodedString(options: .lineLength64Characters)
        return Array("-----BEGIN \(kind)-----\n\(text)\n-----END \(kind)-----\n".utf8)
    }
}
