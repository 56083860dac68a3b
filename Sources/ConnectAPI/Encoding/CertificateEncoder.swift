internal import CheckModel
internal import StrictJSON

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
