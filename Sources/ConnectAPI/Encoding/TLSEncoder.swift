internal import CheckModel
internal import StrictJSON

/// Writes what a handshake showed.
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

    /// `alert` and `alert_from`, of whatever object stands open.
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
