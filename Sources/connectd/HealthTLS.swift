import CheckModel
import TLSClient

/// How a health check speaks TLS.
struct HealthTLS {
    var options = TLSOptions()
    var material = TLSMaterial()
    /// The certificate that the service has to show, or one with the same key: nil where its authority and name decide.
    var own: CertificateReport?

    /// What is wrong with the certificate that was shown; nil where nothing is.
    func flaw(in report: TLSReport) -> String? {
        guard let own else { return nil }
        let isOwn = report.chain.first.map { $0.publicKeySHA256 == own.publicKeySHA256 } ?? false
        return isOwn ? nil : "the certificate is not the one that the configuration names"
    }
}
