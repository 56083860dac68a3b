import CheckModel
@testable import ConnectAPI
import ErrorCatalogue
import StrictJSON
import Testing

/// The TLS report, byte for byte.
@Suite struct TLSEncoderTests {
    private func text(_ report: TLSReport) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        TLSEncoder.writeMember(report, to: &writer)
        writer.endObject()
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    private static func certificate(furtherNames: Int = 0) -> CertificateReport {
        CertificateReport(
            subject: "CN=db", issuer: "CN=ca\\,x", subjectAlternativeNames: ["DNS:db.internal", "IP:10.0.0.7"],
            furtherNamesCount: furtherNames, serial: "0a1b", notBefore: 1_767_225_600, notAfter: 1_798_761_599,
            expiresInSeconds: -3, sha256: "ab", publicKeySHA256: "cd", keyType: "EC", keyBits: 256,
            signatureAlgorithm: "ecdsa-with-SHA256")
    }

    private static let shown =
        #"{"subject":"CN=db","issuer":"CN=ca\\,x","sans":["DNS:db.internal","IP:10.0.0.7"],"serial":"0a1b","#
        + #""not_before":"2026-01-01T00:00:00Z","not_after":"2026-12-31T23:59:59Z","expires_in_seconds":-3,"sha256":"ab","#
        + #""public_key_sha256":"cd","key":{"type":"EC","bits":256},"signature_algorithm":"ecdsa-with-SHA256"}"#

    @Test func `a handshake that failed early`() {
        var report = TLSReport()
        report.handshakeNanoseconds = 1_500_000
        report.alert = TLSAlertReport(alert: TLSAlert(code: 40), sender: .peer)
        #expect(
            text(report) == #"""
                {"tls":{"version":null,"cipher":null,"group":null,"alpn":null,"server_name":null,"handshake_ms":1.5,\#
                "verified":false,"verify_error":null,"chain":[],"verified_chain":null,"ocsp":{"stapled":false},\#
                "alert":"handshake_failure","alert_from":"peer"}}
                """#)
    }

    @Test func `a report with every member`() {
        var report = TLSReport()
        report.version = "TLSv1.3"
        report.cipher = "TLS_AES_256_GCM_SHA384"
        report.group = "x25519"
        report.alpn = "h2"
        report.serverName = "db.internal"
        report.isVerified = true
        report.chain = [Self.certificate()]
        report.verifiedChain = [Self.certificate(), Self.certificate()]
        report.ocsp.isStapled = true
        report.ocsp.status = .revoked
        report.ocsp.thisUpdate = 1_767_225_600
        report.ocsp.revokedAt = 0
        let shown = Self.shown
        #expect(
            text(report) == #"""
                {"tls":{"version":"TLSv1.3","cipher":"TLS_AES_256_GCM_SHA384","group":"x25519","alpn":"h2",\#
                "server_name":"db.internal","handshake_ms":0,"verified":true,"verify_error":null,"chain":[\#(shown)],\#
                "verified_chain":[\#(shown),\#(shown)],"ocsp":{"stapled":true,"status":"revoked",\#
                "this_update":"2026-01-01T00:00:00Z","next_update":null,"revoked_at":"1970-01-01T00:00:00Z"}}}
                """#)
    }

    @Test func `the reason why the chain is not verified`() {
        var report = TLSReport()
        report.verifyError = CertificateVerifyError(
            code: 10, name: "X509_V_ERR_CERT_HAS_EXPIRED", depth: 0, message: "certificate has expired")
        #expect(
            text(report).contains(
                #""verified":false,"verify_error":{"code":10,"name":"X509_V_ERR_CERT_HAS_EXPIRED","depth":0,"message":"#
                    + #""certificate has expired"},"#))
    }

    @Test func `names over the limit are counted`() {
        var report = TLSReport()
        report.chain = [Self.certificate(furtherNames: 9900)]
        #expect(text(report).contains(#""sans":["DNS:db.internal","IP:10.0.0.7"],"further_sans":9900,"serial""#))
    }

    @Test func `invalid dates are null, and must_staple is shown`() {
        var report = TLSReport()
        report.chain = [Self.certificate()]
        report.chain[0].notBefore = nil
        report.chain[0].notAfter = nil
        report.chain[0].expiresInSeconds = nil
        report.chain[0].mustStaple = true
        let text = text(report)
        #expect(text.contains(#""not_before":null,"not_after":null,"expires_in_seconds":null,"sha256""#))
        #expect(text.contains(#""signature_algorithm":"ecdsa-with-SHA256","must_staple":true}"#))
    }

    @Test func `an error shows the alert and the peer's own bytes`() {
        let alert = TLSAlertReport(alert: TLSAlert(code: 250), sender: .prober)
        let error = Classifier.report(
            for: TLSHandshakeFailure(.notTLS, alert: alert, received: Array("HTTP/1.1 400\r\n\u{1}".utf8)))
        var writer = JSONWriter()
        writer.beginObject()
        ErrorEncoder.writeMember(error, to: &writer)
        writer.endObject()
        let text = String(decoding: writer.finish(), as: UTF8.self)
        #expect(
            text.hasSuffix(
                #""retryable":false,"alert":"alert_250","alert_from":"prober","received":"HTTP/1.1 400\\r\\n\\x01"}}"#))
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (2_524_607_999, "2049-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
        (Int64.max, "9999-12-31T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
        (Int64.min, "0000-01-01T00:00:00Z"),
    ])
    func `timestamps of certificates have whole seconds and four digits for the year`(seconds: Int64, text: String) {
        var writer = JSONWriter()
        Timestamp.write(secondsSince1970: seconds, to: &writer)
        #expect(String(decoding: writer.finish(), as: UTF8.self) == "\"\(text)\"")
    }
}
