import COpenSSL
@testable import TLS
import Testing

@Suite struct TLSMaterialTests {
    let tool: OpenSSLTool

    init() throws {
        tool = try OpenSSLTool()
    }

    /// Why a client certificate is refused; nil if it is accepted.
    private func flaw(certificate: [UInt8], key: [UInt8]) -> String? {
        do throws(TLSMaterialError) {
            _ = try ClientCertificate(certificatePEM: certificate, keyPEM: key)
            return nil
        } catch {
            return error.reason
        }
    }

    private func flaw(authorities pem: [UInt8]) -> String? {
        do throws(TLSMaterialError) {
            _ = try TrustAnchors(pem: pem)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func everyAuthorityOfAFileIsTrusted() throws {
        let first = try tool.selfSigned("a", subject: "/CN=a")
        let second = try tool.selfSigned("b", subject: "/CN=b")
        let text = Array("A comment in front\n".utf8) + first + Array("\nand between\n".utf8) + second
        let store = try #require(X509_STORE_new())
        defer { X509_STORE_free(store) }
        let anchors = try TrustAnchors(pem: text)
        #expect(anchors.addAll(to: store))
        #expect(anchors.addAll(to: store))
        for pem in [first, second] {
            try withCertificate(pem) { certificate in
                let context = try #require(X509_STORE_CTX_new())
                defer { X509_STORE_CTX_free(context) }
                #expect(X509_STORE_CTX_init(context, store, certificate, nil) == 1)
                #expect(X509_verify_cert(context) == 1)
            }
        }
    }

    @Test func aFileWithoutCertificatesIsRefused() throws {
        try tool.selfSigned("a")
        #expect(flaw(authorities: []) == "has no certificate")
        #expect(flaw(authorities: Array("nothing of the kind\n".utf8)) == "has no certificate")
        #expect(flaw(authorities: try tool.bytes(of: "a.key")) == "has no certificate")
    }

    @Test func anUnreadableBlockIsNamed() throws {
        let good = try tool.selfSigned("a")
        let badBase64 = Array("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n".utf8)
        let badDER = Array("-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n".utf8)
        #expect(
            flaw(authorities: good + good + badBase64)
                == "has a 3rd certificate that is unreadable: bad base64 decode")
        #expect(flaw(authorities: badDER)?.hasPrefix("has a 1st certificate that is unreadable: ") == true)
        #expect(flaw(authorities: good + good.dropLast(40))?.hasPrefix("has a 2nd certificate") == true)
        let eleven = Array(repeatElement(good, count: 11).joined())
        #expect(flaw(authorities: eleven + badBase64)?.hasPrefix("has a 12th certificate") == true)
        let hundred = Array(repeatElement(good, count: 100).joined())
        #expect(flaw(authorities: hundred + badBase64)?.hasPrefix("has a 101st certificate") == true)
    }

    @Test func moreThanAThousandCertificatesAreRefused() throws {
        let good = try tool.selfSigned("a")
        let thousand = Array(repeatElement(good, count: 1000).joined())
        #expect(flaw(authorities: thousand) == nil)
        #expect(flaw(authorities: thousand + good) == "has more than 1000 certificates")
    }

    @Test func aCertificateWithItsKeyAndChainIsUsed() throws {
        let certificate = try tool.selfSigned("a")
        let other = try tool.selfSigned("b")
        let material = try ClientCertificate(
            certificatePEM: certificate + other, keyPEM: try tool.bytes(of: "a.key"))
        let context = try #require(SSL_CTX_new(TLS_client_method()))
        defer { SSL_CTX_free(context) }
        #expect(material.use(in: context))
        #expect(SSL_CTX_check_private_key(context) == 1)
        try withCertificate(certificate) { #expect(X509_cmp(SSL_CTX_get0_certificate(context), $0) == 0) }
    }

    @Test(arguments: ["-traditional", "-aes256"]) func keysWithAPassphraseAreRefusedWithoutAQuestion(
        _ form: String
    ) throws {
        let certificate = try tool.selfSigned("a", key: ["rsa:2048"])
        if form == "-traditional" {
            try tool("rsa", "-in", "a.key", "-out", "e.key", "-aes256", "-passout", "pass:secret", "-traditional")
        } else {
            try tool("pkey", "-in", "a.key", "-out", "e.key", "-aes256", "-passout", "pass:secret")
        }
        let key = try tool.bytes(of: "e.key")
        #expect(flaw(certificate: certificate, key: key) == "has a key that needs a passphrase")
    }

    @Test func aKeyThatIsAnotherCertificatesOrNoneIsRefused() throws {
        let certificate = try tool.selfSigned("a")
        try tool.selfSigned("b")
        try tool.selfSigned("c", key: ["ed25519"])
        let mismatch = "has a key that is not the certificate's"
        #expect(flaw(certificate: certificate, key: try tool.bytes(of: "b.key")) == mismatch)
        #expect(flaw(certificate: certificate, key: try tool.bytes(of: "c.key")) == mismatch)
        #expect(flaw(certificate: certificate, key: certificate) == "has no key that is readable")
        #expect(flaw(certificate: certificate, key: []) == "has no key that is readable")
        #expect(flaw(certificate: [], key: try tool.bytes(of: "a.key")) == "has no certificate")
        #expect(ERR_peek_error() == 0)
    }

    @Test(arguments: [["rsa:2048"], ["ed25519"], ["ed448"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]])
    func keysOfEveryUsualKindAreRead(_ kind: [String]) throws {
        let certificate = try tool.selfSigned("a", key: kind)
        #expect(flaw(certificate: certificate, key: try tool.bytes(of: "a.key")) == nil)
    }
}

/// Reads one certificate of a PEM with OpenSSL itself.
func withCertificate<Result>(_ pem: [UInt8], _ body: (OpaquePointer) throws -> Result) throws -> Result {
    let bio = try #require(BIO_new_mem_buf(pem, Int32(pem.count)))
    defer { BIO_free(bio) }
    let certificate = try #require(PEM_read_bio_X509(bio, nil, nil, nil))
    defer { X509_free(certificate) }
    return try body(certificate)
}
