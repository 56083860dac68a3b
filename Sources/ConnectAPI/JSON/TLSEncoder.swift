internal import CheckModel
internal import ErrorCatalogue
internal import StrictJSON

/// Writes the report of a TLS handshake.
enum TLSEncoder {
    /// The member `tls`.
    static func writeMember(_ report: TLSReport, to writer: inout JSONWriter) {
        writer.member("tls")
        writer.beginObject()
        writer.member("version")
        writer.string(report.version)
        writer.member("cipher")
        writer.string(report.cipher)
        writer.member("group")
        writer.string(report.group)
        writer.member("alpn")
        writer.string(report.alpn)
        writer.member("server_name")
        writer.string(report.serverName)
        writer.member("handshake_ms")
        writer.milliseconds(nanoseconds: report.handshakeNanoseconds)
        writer.member("verified")
        writer.bool(report.isVerified)
        write(report.verifyError, to: &writer)
        writer.member("chain")
        write(report.chain, to: &writer)
        writer.member("verified_chain")
        if let chain = report.verifiedChain { write(chain, to: &writer) } else { writer.null() }
        write(report.ocsp, to: &writer)
        if let alert = report.alert { writeMembers(alert, to: &writer) }
        writer.endObject()
    }

    /// Writes `alert` and `alert_from` into the open object.
    static func writeMembers(_ report: TLSAlertReport, to writer: inout JSONWriter) {
        writer.member("alert")
        writer.string(report.alert.name)
        writer.member("alert_from")
        writer.string(report.sender.rawValue)
    }

    private static func write(_ error: CertificateVerifyError?, to writer: inout JSONWriter) {
        writer.member("verify_error")
        guard let error else {
            writer.null()
            return
        }
        writer.beginObject()
        writer.member("code")
        writer.integer(error.code)
        writer.member("name")
        writer.string(error.name)
        writer.member("depth")
        writer.integer(error.depth)
        writer.member("message")
        writer.string(error.message)
        writer.endObject()
    }

    private static func write(_ chain: [CertificateReport], to writer: inout JSONWriter) {
        writer.beginArray()
        for certificate in chain { CertificateEncoder.write(certificate, to: &writer) }
        writer.endArray()
    }

    private static func write(_ report: OCSPReport, to writer: inout JSONWriter) {
        writer.member("ocsp")
        writer.beginObject()
        writer.member("stapled")
        writer.bool(report.isStapled)
        if report.isStapled {
            writer.member("status")
            writer.string(report.status?.rawValue)
            writer.member("this_update")
            write(report.thisUpdate, to: &writer)
            writer.member("next_update")
            write(report.nextUpdate, to: &writer)
            writer.member("revoked_at")
            write(report.revokedAt, to: &writer)
        }
        writer.endObject()
    }

    private static func write(_ secondsSince1970: Int64?, to writer: inout JSONWriter) {
        guard let secondsSince1970 else {
            writer.null()
            return
        }
        Timestamp.write(secondsSince1970: secondsSince1970, to: &writer)
    }
}

/// Writes one certificate of a chain.
enum CertificateEncoder {
    static func write(_ certificate: CertificateReport, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("subject")
        writer.string(certificate.subject)
        writer.member("issuer")
        writer.string(certificate.issuer)
        writer.member("sans")
        writer.beginArray()
        for name in certificate.subjectAlternativeNames { writer.string(name) }
        writer.endArray()
        if certificate.furtherNamesCount > 0 {
            writer.member("further_sans")
            writer.integer(certificate.furtherNamesCount)
        }
        writer.member("serial")
        writer.string(certificate.serial)
        writeValidity(of: certificate, to: &writer)
        writer.member("sha256")
        writer.string(certificate.sha256)
        writer.member("public_key_sha256")
        writer.string(certificate.publicKeySHA256)
        writer.member("key")
        writer.beginObject()
        writer.member("type")
        writer.string(certificate.keyType)
        writer.member("bits")
        writer.integer(certificate.keyBits)
        writer.endObject()
        writer.member("signature_algorithm")
        writer.string(certificate.signatureAlgorithm)
        if certificate.mustStaple {
            writer.member("must_staple")
            writer.bool(true)
        }
        writer.endObject()
    }

    private static func writeValidity(of certificate: CertificateReport, to writer: inout JSONWriter) {
        writer.member("not_before")
        write(certificate.notBefore, to: &writer)
        writer.member("not_after")
        write(certificate.notAfter, to: &writer)
        writer.member("expires_in_seconds")
        if let seconds = certificate.expiresInSeconds { writer.integer(seconds) } else { writer.null() }
    }

    private static func write(_ time: Int64?, to writer: inout JSONWriter) {
        if let time { Timestamp.write(secondsSince1970: time, to: &writer) } else { writer.null() }
    }
}
