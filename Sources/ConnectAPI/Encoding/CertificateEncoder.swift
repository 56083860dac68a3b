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
        writer.endObject()
    }

    private static func writeValidity(of certificate: CertificateReport, to writer: inout JSONWriter) {
        writer.member("not_before")
        Timestamp.write(secondsSince1970: certificate.notBefore, to: &writer)
        writer.member("not_after")
        Timestamp.write(secondsSince1970: certificate.notAfter, to: &writer)
        writer.member("expires_in_seconds")
        writer.integer(certificate.expiresInSeconds)
    }
}
