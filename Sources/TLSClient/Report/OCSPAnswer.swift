internal import COpenSSL
internal import CheckModel

/// What an OCSP response says about one certificate (SingleResponse), true or not.
struct OCSPAnswer {
    let status: OCSPReport.Status
    /// Seconds since 1970, as the next two; nil where it is not said, or no time.
    let thisUpdate: Int64?
    let nextUpdate: Int64?
    let revokedAt: Int64?
    private let endsByItself: Bool

    /// - Parameters:
    ///   - basic: an OCSP_BASICRESP.
    ///   - identifier: an OCSP_CERTID. Both stay the caller's.
    /// - Returns: nil where the response does not speak of this certificate.
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

    /// RFC 6960, 3.2: it has begun to be true, and there should be no newer one yet.
    func isCurrent(now: Int64) -> Bool {
        guard let thisUpdate, thisUpdate <= now + OCSPReader.leewaySeconds else { return false }
        guard endsByItself else { return true }
        guard let nextUpdate else { return false }
        return nextUpdate >= thisUpdate && nextUpdate >= now - OCSPReader.leewaySeconds
    }
}
