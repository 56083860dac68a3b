import CLinux
import COpenSSL
import CheckModel
import Foundation
@testable import TLS
import Testing

/// Responses are made by `openssl ocsp` from an authority's index.
@Suite struct OCSPTests {
    let tool: OpenSSLTool
    let now = Int64(Date().timeIntervalSince1970)

    init() throws {
        tool = try OpenSSLTool()
        try tool.selfSigned("ca", subject: "/CN=Authority")
        try tool.selfSigned("other", subject: "/CN=Authority")
        try sign("leaf", serial: "0xab", extensions: "")
        try tool.write("V\t400101000000Z\t\tAB\tunknown\t/CN=leaf\n", to: "index")
    }

    private func sign(_ name: String, serial: String, extensions: String) throws {
        try tool(
            "req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "\(name).key", "-subj", "/CN=\(name)", "-out",
            "r.csr")
        try tool.write(extensions, to: "extensions")
        try tool(
            "x509", "-req", "-in", "r.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", serial, "-days", "5",
            "-extfile", "extensions", "-out", "\(name).pem")
    }

    private func respond(signer: String = "ca", digest: String = "-sha1", _ times: String...) throws -> [UInt8] {
        try tool.respond(signer: signer, digest: digest, times: times)
        return try tool.bytes(of: "response")
    }

    /// - Parameter chain: what stands behind the certificate.
    private func judge(
        _ response: [UInt8], chain: [String] = ["ca"], trusted: [String] = ["ca"], now: Int64? = nil
    ) throws -> OCSPReport {
        let store = try #require(X509_STORE_new())
        defer { X509_STORE_free(store) }
        for name in trusted { try TrustAnchors(pem: try tool.bytes(of: "\(name).pem")).addAll(to: store) }
        let stack = try #require(OPENSSL_sk_new_null())
        defer { OPENSSL_sk_free(stack) }
        let certificates = try chain.map { try CertificateList(pem: try tool.bytes(of: "\($0).pem")) }
        for list in certificates { OPENSSL_sk_push(stack, UnsafeRawPointer(list.certificates[0])) }
        let report = try withCertificate(try tool.bytes(of: "leaf.pem")) { leaf in
            OCSPReader.judge(
                response: response, certificate: leaf, chain: stack, store: store, now: now ?? self.now)
        }
        withExtendedLifetime(certificates) {}
        return report
    }

    @Test(arguments: ["-sha1", "-sha256"]) func aGoodResponseIsGood(_ digest: String) throws {
        let report = try judge(try respond(digest: digest, "-ndays", "1"))
        #expect(report.isStapled)
        #expect(report.status == .good)
        #expect(report.revokedAt == nil)
        let thisUpdate = try #require(report.thisUpdate)
        #expect(abs(thisUpdate - now) < 60)
        #expect(report.nextUpdate == thisUpdate + 86_400)
    }

    @Test func theIssuerIsFoundInTheStoreToo() throws {
        #expect(try judge(try respond("-ndays", "1"), chain: []).status == .good)
    }

    @Test func anotherAuthorityOfTheSameNameInTheChainConfusesNobody() throws {
        #expect(try judge(try respond("-ndays", "1"), chain: ["other", "ca"]).status == .good)
    }

    @Test func revocationIsToldWithItsTime() throws {
        try tool.write("R\t400101000000Z\t250102030405Z\tAB\tunknown\t/CN=leaf\n", to: "index")
        let report = try judge(try respond("-ndays", "1"))
        #expect(report.status == .revoked)
        #expect(report.revokedAt == 1_735_787_045)
    }

    @Test func aCertificateThatTheAuthorityDoesNotKnowIsUnknown() throws {
        try tool.write("V\t400101000000Z\t\tAC\tunknown\t/CN=leaf\n", to: "index")
        #expect(try judge(try respond("-ndays", "1")).status == .unknown)
    }

    @Test func anOldResponseOrOneOfTheFutureIsInvalid() throws {
        let response = try respond("-ndays", "1")
        #expect(try judge(response, now: now + 86_400 + 240).status == .good)
        #expect(try judge(response, now: now + 86_400 + 400).status == .invalid)
        #expect(try judge(response, now: now - 240).status == .good)
        #expect(try judge(response, now: now - 400).status == .invalid)
        #expect(try judge(response, now: now - 400).thisUpdate != nil)
    }

    @Test func aResponseWithoutAnEndIsTakenAtAnyAge() throws {
        let report = try judge(try respond(), now: now + 86_400)
        #expect(report.status == .good)
        #expect(report.nextUpdate == nil)
    }

    @Test func aDelegatedResponderIsBelieved() throws {
        try sign("responder", serial: "2", extensions: "extendedKeyUsage=OCSPSigning")
        #expect(try judge(try respond(signer: "responder", "-ndays", "1")).status == .good)
    }

    @Test func aCertificateOfTheAuthoritysThatMayNotSignResponsesIsNotBelieved() throws {
        try sign("responder", serial: "2", extensions: "extendedKeyUsage=serverAuth")
        #expect(try judge(try respond(signer: "responder", "-ndays", "1")).status == .invalid)
    }

    @Test func somebodyElsesSignatureIsInvalid() throws {
        let response = try respond(signer: "other", "-ndays", "1")
        #expect(try judge(response).status == .invalid)
        #expect(try judge(response, chain: ["ca", "other"], trusted: ["ca", "other"]).status == .invalid)
    }

    @Test func anUntrustedAuthorityIsInvalid() throws {
        #expect(try judge(try respond("-ndays", "1"), trusted: ["other"]).status == .invalid)
    }

    @Test func damagedAndUnsuccessfulResponsesAreInvalid() throws {
        // The signature stands last.
        var response = try respond("-ndays", "1", "-resp_no_certs")
        #expect(try judge(response).status == .good)
        #expect(try judge([]).status == .invalid)
        #expect(try judge(Array(response.dropLast())).status == .invalid)
        // OCSPResponse with responseStatus tryLater and nothing else.
        #expect(try judge([0x30, 0x03, 0x0A, 0x01, 0x03]).status == .invalid)
        response[response.count - 10] ^= 1
        #expect(try judge(response).status == .invalid)
        #expect(ERR_peek_error() == 0)
    }

    /// Nothing that is not signed becomes true.
    @Test func mutatedResponsesSayNothingElse() throws {
        let good = try respond("-ndays", "1")
        let truth = try judge(good)
        let store = try #require(X509_STORE_new())
        defer { X509_STORE_free(store) }
        let authority = try CertificateList(pem: try tool.bytes(of: "ca.pem"))
        try TrustAnchors(pem: try tool.bytes(of: "ca.pem")).addAll(to: store)
        let chain = try #require(OPENSSL_sk_new_null())
        defer { OPENSSL_sk_free(chain) }
        OPENSSL_sk_push(chain, UnsafeRawPointer(authority.certificates[0]))
        try withCertificate(try tool.bytes(of: "leaf.pem")) { leaf in
            for index in good.indices {
                var response = good
                response[index] ^= 1 << (index % 8)
                let report = OCSPReader.judge(
                    response: response, certificate: leaf, chain: chain, store: store, now: now)
                #expect(report.status == .invalid || report == truth, "byte \(index)")
            }
        }
        withExtendedLifetime(authority) {}
    }
}

extension OpenSSLTool {
    /// Writes `response` about `leaf.pem`, issued by `ca.pem`.
    func respond(signer: String, digest: String, times: [String]) throws {
        try run(
            [
                "ocsp", "-index", "index", "-rsigner", "\(signer).pem", "-rkey", "\(signer).key", "-CA", "ca.pem",
                digest, "-issuer", "ca.pem", "-cert", "leaf.pem", "-noverify", "-respout", "response",
            ] + times)
    }
}
