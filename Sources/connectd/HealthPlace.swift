import CheckModel
import Configuration
import TLSClient
import TLSServer

/// Where the service beside this process is asked for its health.
struct HealthPlace {
    let url: HealthURL
    /// The certificate that it shows there.
    var certificate: CertificateReport?

    /// The one that is named.
    init(_ text: String) throws {
        url = try HealthURL(parsing: text)
    }

    /// The one that a configuration and the environment tell: a health listener, else what needs no TLS, else the first.
    /// - Throws: also what is wrong with the configuration.
    init(configuration: String?, environment: [String: String]) throws {
        let isHTTPS = environment.keys.contains { $0.hasPrefix("CONNECTD_HTTPS__") }
        guard configuration != nil || isHTTPS else {
            url = try HealthURL(environment: environment)
            return
        }
        let settings = try SettingsLoader.load(file: configuration, environment: environment).settings
        let plain = settings.healthListen.first ?? settings.listen.first { Self.isPlain($0, settings) }
        url = try HealthURL(of: plain ?? settings.listen[0], isHTTPS: plain == nil)
        certificate = plain == nil ? settings.https?.certificate.report : nil
    }

    private static func isPlain(_ address: ListenAddress, _ settings: Settings) -> Bool {
        guard settings.https != nil else { return true }
        return switch address {
        case .unix: true
        case .ip: false
        }
    }
}
