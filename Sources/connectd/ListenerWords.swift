import CheckModel
import Configuration
import TLSServer

/// What each listener is, in a word: `https 127.0.0.1:8443 (client certificates)`, `http unix:/run/c.sock`,
/// `health 0.0.0.0:8081`.
enum ListenerWords {
    /// - Parameter addresses: where it listens, those of `listen` first.
    static func list(_ addresses: [ListenAddress], _ settings: Settings) -> [String] {
        addresses.enumerated().map { index, address in
            index < settings.listen.count ? word(for: address, settings) : "health \(address.text)"
        }
    }

    private static func word(for address: ListenAddress, _ settings: Settings) -> String {
        guard case .ip = address, let https = settings.https else { return "http \(address.text)" }
        return "https \(address.text)" + (https.demandsCertificate ? " (client certificates)" : "")
    }
}
