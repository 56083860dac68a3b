import ArgumentParser
import CheckModel
import TLSClient

/// The options of `healthcheck` that are about https.
struct HealthTLSArguments: ParsableArguments {
    @Option(help: "A file of authorities, PEM, to trust instead of the system's.", completion: .file())
    var ca: String?

    @Option(help: "The name to send and to verify, instead of the URL's host.")
    var serverName: String?

    @Flag(help: "Take any certificate.")
    var noVerify = false

    @Option(help: "A certificate to show, PEM, with its chain.", completion: .file())
    var clientCertificate: String?

    @Option(help: "The key of --client-certificate, PEM, without a passphrase.", completion: .file())
    var key: String?

    func validate() throws {
        if let serverName, let flaw = ServerName.flaw(in: serverName) {
            throw ValidationError("--server-name \"\(serverName)\": \(flaw)")
        }
        guard (clientCertificate == nil) == (key == nil) else {
            throw ValidationError("--client-certificate and --key go together")
        }
    }

    var isGiven: Bool { ca != nil || serverName != nil || noVerify || clientCertificate != nil }

    /// Whether it is said whom to trust.
    var statesTrust: Bool { ca != nil || serverName != nil || noVerify }

    /// - Parameter own: the service's certificate, where it is known; what is said here goes before it.
    func settings(trusting own: CertificateReport?) throws -> HealthTLS {
        var tls = HealthTLS()
        tls.own = statesTrust ? nil : own
        tls.options.verify = !noVerify && tls.own == nil
        tls.options.serverName = serverName
        tls.options.authority = ca == nil ? nil : Self.name
        tls.options.clientCertificate = clientCertificate == nil ? nil : Self.name
        tls.material = TLSMaterial(
            authorities: try ca.map { [Self.name: try TLSArguments.anchors(in: $0)] } ?? [:],
            clientCertificates: try certificate().map { [Self.name: $0] } ?? [:])
        return tls
    }

    private static let name = "command line"

    private func certificate() throws -> ClientCertificate? {
        guard let clientCertificate, let key else { return nil }
        let certificatePEM = try TLSArguments.contents(of: clientCertificate, for: "--client-certificate")
        let keyPEM = try TLSArguments.contents(of: key, for: "--key")
        do throws(TLSMaterialError) {
            return try ClientCertificate(certificatePEM: certificatePEM, keyPEM: keyPEM)
        } catch {
            throw ValidationError(
                "--client-certificate \(clientCertificate), --key \(key): one of them \(error.reason)")
        }
    }
}
