internal import COpenSSL
internal import CheckModel
@testable internal import TLS

/// Certificates in DER, and files of certificates and keys in PEM.
enum CertificateFuzz {
    /// What is reported is short and printable. A name matches at least where OpenSSL says so.
    static func run(_ bytes: [UInt8]) {
        if bytes.first != 0x30 { return readFile(bytes) }
        let certificate = bytes.withUnsafeBufferPointer { buffer in
            var position = buffer.baseAddress
            return d2i_X509(nil, &position, buffer.count)
        }
        ERR_clear_error()
        guard let certificate else { return }
        defer { X509_free(certificate) }
        let report = CertificateReader.report(of: certificate, now: 1_800_000_000)
        let texts = [report.subject, report.issuer, report.serial, report.keyType, report.signatureAlgorithm]
        for text in texts + report.subjectAlternativeNames { expectPrintable(text, atMost: 1024) }
        expect(report.subjectAlternativeNames.count <= 100 && report.furtherNamesCount >= 0, "names without bounds")
        expect(report.sha256.utf8.count == 64, "no fingerprint")
        expect(report.keyBits >= 0, "a key of \(report.keyBits) bits")
        expect(report.expiresInSeconds == report.notAfter.map { $0 - 1_800_000_000 }, "another expiry")
        expectPrintable(CertificateName.short(of: certificate), atMost: 64)
        expect(ERR_peek_error() == 0, "an error is left in OpenSSL's queue")
        matchHosts(certificate)
    }

    private static func matchHosts(_ certificate: OpaquePointer) {
        let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
        for host in ["a.example", "www.a.example", "b-c.a.example", "xn--mnchen-3ya.example"] {
            let isGood = X509_check_host(certificate, host, host.utf8.count, flags, nil) == 1
            let matches = HostNameMatch.certificate(certificate, isFor: host)
            expect(matches || !isGood, "OpenSSL accepts the certificate for \(host)")
            expect(!matches || HostNameMatch.hasHostNames(certificate), "a match without a name")
        }
        ERR_clear_error()
    }

    private static func readFile(_ bytes: [UInt8]) {
        do throws(TLSMaterialError) {
            let list = try CertificateList(pem: bytes)
            expect((1...CertificateList.maximumCount).contains(list.certificates.count), "certificates without bounds")
            for certificate in list.certificates {
                expectPrintable(CertificateReader.report(of: certificate, now: 0).subject, atMost: 1024)
            }
        } catch {
            expectMessage(error.reason)
        }
        readKey(bytes)
        expect(ERR_peek_error() == 0, "an error is left in OpenSSL's queue")
    }

    private static func readKey(_ bytes: [UInt8]) {
        // OpenSSL tries many decoders on a key.
        guard bytes.contains(Array("PRIVATE KEY".utf8)) else { return }
        do throws(TLSMaterialError) {
            _ = try PrivateKey(pem: bytes)
        } catch {
            expectMessage(error.reason)
        }
    }

    private static func expectPrintable(_ text: String, atMost limit: Int) {
        expect(text.utf8.count <= limit, "a text of \(text.utf8.count) bytes")
        expect(
            text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) },
            "a text that is not printable: \(text.debugDescription)")
    }
}
