internal import COpenSSL
internal import CheckModel

/// Judges stapled OCSP responses, RFC 6960.
enum OCSPReader {
    /// The tolerated difference between clocks.
    static let leewaySeconds: Int64 = 300

    /// The status of the certificate according to the response, if the response can be trusted.
    /// - Parameters:
    ///   - certificate: an X509 of OpenSSL.
    ///   - chain: a STACK_OF(X509) with the certificates after it, as sent or verified.
    ///   - store: an X509_STORE. The signer of the response must chain to an authority in it. The caller owns all three.
    ///   - now: seconds since 1970.
    static func judge(
        response: [UInt8], certificate: OpaquePointer, chain: OpaquePointer, store: OpaquePointer, now: Int64
    ) -> OCSPReport {
        ERR_clear_error()
        defer { ERR_clear_error() }
        var report = OCSPReport()
        report.isStapled = true
        report.status = .invalid
        guard
            let basic = basicResponse(in: response), let issuer = issuer(of: certificate, chain: chain, store: store)
        else { return report }
        defer {
            OCSP_BASICRESP_free(basic)
            X509_free(issuer)
        }
        guard let answer = answer(in: basic, certificate: certificate, issuer: issuer) else { return report }
        report.thisUpdate = answer.thisUpdate
        report.nextUpdate = answer.nextUpdate
        guard
            isSigned(basic, issuer: issuer, chain: chain, store: store), answer.isCurrent(now: now)
        else { return report }
        report.status = answer.status
        report.revokedAt = answer.status == .revoked ? answer.revokedAt : nil
        return report
    }

    /// An OCSP_BASICRESP, owned by the caller; nil if the response is malformed, or only has an error status.
    private static func basicResponse(in bytes: [UInt8]) -> OpaquePointer? {
        let response = bytes.withUnsafeBufferPointer { buffer in
            var position = buffer.baseAddress
            return d2i_OCSP_RESPONSE(nil, &position, buffer.count)
        }
        guard let response else { return nil }
        defer { OCSP_RESPONSE_free(response) }
        guard OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL else { return nil }
        return OCSP_response_get1_basic(response)
    }

    /// An X509 with a reference for the caller: from the chain if it has signed the certificate, otherwise from the
    /// store.
    private static func issuer(
        of certificate: OpaquePointer, chain: OpaquePointer, store: OpaquePointer
    ) -> OpaquePointer? {
        for index in 0..<max(connectd_certificate_count(chain), 0) {
            guard let candidate = connectd_certificate_at(chain, index) else { continue }
            // A name alone proves nothing: any certificate can contain it.
            guard
                X509_check_issued(candidate, certificate) == X509_V_OK, let key = X509_get0_pubkey(candidate),
                X509_verify(certificate, key) == 1
            else { continue }
            X509_up_ref(candidate)
            return candidate
        }
        guard let context = X509_STORE_CTX_new() else { return nil }
        defer { X509_STORE_CTX_free(context) }
        var issuer: OpaquePointer?
        guard
            X509_STORE_CTX_init(context, store, nil, nil) == 1,
            X509_STORE_CTX_get1_issuer(&issuer, context, certificate) == 1
        else { return nil }
        return issuer
    }

    /// Whether the issuer, or its delegate (RFC 6960, 4.2.2.2), has signed the response.
    private static func isSigned(
        _ basic: OpaquePointer, issuer: OpaquePointer, chain: OpaquePointer, store: OpaquePointer
    ) -> Bool {
        // OpenSSL takes the first certificate with the response's name. In the chain, an attacker can add such a
        // certificate.
        guard let candidates = OPENSSL_sk_dup(chain) else { return false }
        defer { OPENSSL_sk_free(candidates) }
        guard OPENSSL_sk_insert(candidates, UnsafeRawPointer(issuer), 0) > 0 else { return false }
        return OCSP_basic_verify(basic, candidates, store, 0) == 1
    }

    private static func answer(
        in basic: OpaquePointer, certificate: OpaquePointer, issuer: OpaquePointer
    ) -> OCSPAnswer? {
        // Responders choose the digest that identifies the issuer, usually SHA-1.
        for digest in [EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()] {
            guard let identifier = OCSP_cert_to_id(digest, certificate, issuer) else { continue }
            defer { OCSP_CERTID_free(identifier) }
            if let answer = OCSPAnswer(in: basic, about: identifier) { return answer }
        }
        return nil
    }
}

/// The contents of an OCSP response for one certificate (SingleResponse), not yet verified.
struct OCSPAnswer {
    let status: OCSPReport.Status
    /// Seconds since 1970, like the next two; nil if it is absent or not a valid time.
    let thisUpdate: Int64?
    let nextUpdate: Int64?
    let revokedAt: Int64?
    private let endsByItself: Bool

    /// - Parameters:
    ///   - basic: an OCSP_BASICRESP.
    ///   - identifier: an OCSP_CERTID. The caller owns both.
    /// - Returns: nil if the response does not contain this certificate.
    init?(in basic: OpaquePointer, about identifier: OpaquePointer) {
        var code: Int32 = 0
        var revoked: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var this: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var next: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        guard OCSP_resp_find_status(basic, identifier, &code, nil, &revoked, &this, &next) == 1 else { return nil }
        status =
            switch code {
            case V_OCSP_CERTSTATUS_GOOD: .good
            case V_OCSP_CERTSTATUS_REVOKED: .revoked
            case V_OCSP_CERTSTATUS_UNKNOWN: .unknown
            case _: .invalid
            }
        thisUpdate = this.flatMap { CertificateTime.secondsSince1970($0) }
        nextUpdate = next.flatMap { CertificateTime.secondsSince1970($0) }
        revokedAt = revoked.flatMap { CertificateTime.secondsSince1970($0) }
        endsByItself = next != nil
    }

    /// RFC 6960, 3.2: whether the response is already valid, and not yet outdated.
    func isCurrent(now: Int64) -> Bool {
        guard let thisUpdate, thisUpdate <= now + OCSPReader.leewaySeconds else { return false }
        guard endsByItself else { return true }
        guard let nextUpdate else { return false }
        return nextUpdate >= thisUpdate && nextUpdate >= now - OCSPReader.leewaySeconds
    }
}
