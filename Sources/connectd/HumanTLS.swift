import CheckModel

/// What a handshake showed, for a person.
enum HumanTLS {
    /// Version, cipher, whose certificate, how long it lasts, and whether it could be verified; nil where nothing is known.
    static func line(for report: TLSReport) -> String? {
        guard report.version != nil || !report.chain.isEmpty else { return nil }
        var parts = [report.version, report.cipher, report.alpn.map { "ALPN \($0)" }].compactMap { $0 }
        if let certificate = report.chain.first {
            parts.append("\(certificate.subject.isEmpty ? "no subject" : certificate.subject)")
            parts.append("issued by \(certificate.issuer)")
            parts.append(remaining(certificate.expiresInSeconds))
        }
        if let verdict = verdict(report) { parts.append(verdict) }
        return parts.joined(separator: ", ")
    }

    /// The peer's alert and its own bytes behind an error, where there are any. What we said follows from the error itself.
    static func evidence(of error: ErrorReport) -> String? {
        let alert = error.alert.flatMap { $0.sender == .peer ? "alert \($0.alert.name) from the peer" : nil }
        let received = error.received.map { "received \"\(printable($0))\"" }
        let parts = [alert, received].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func verdict(_ report: TLSReport) -> String? {
        if report.isVerified { return "verified" }
        return report.verifyError.map { "not verified: \($0.message) (\($0.name), depth \($0.depth))" }
    }

    private static func remaining(_ seconds: Int64?) -> String {
        guard let seconds else { return "no readable end" }
        let text = ValidityText.span(seconds)
        return seconds < 0 ? "expired \(text) ago" : "\(text) left"
    }

    /// The first 80 bytes, in a form that no terminal takes for anything else.
    static func printable(_ bytes: [UInt8]) -> String {
        let shown = bytes.prefix(80).map { byte -> String in
            switch byte {
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: "\""): "\\\""
            case UInt8(ascii: "\r"): "\\r"
            case UInt8(ascii: "\n"): "\\n"
            case 0x20...0x7E: String(UnicodeScalar(byte))
            default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return shown.joined() + (bytes.count > 80 ? "…" : "")
    }
}
