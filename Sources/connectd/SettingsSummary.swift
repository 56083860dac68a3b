import CheckModel
import Configuration
import TLSServer

/// What a configuration comes to, in one line: where it listens, who may ask, what they may reach. No secret is in it.
enum SettingsSummary {
    static func text(_ settings: Settings) -> String {
        [
            "listens on " + listeners(settings).joined(separator: ", "),
            settings.healthListen.isEmpty
                ? nil : "health alone on " + settings.healthListen.map(\.text).joined(separator: ", "),
            who(settings),
            "policy \(settings.policy.profile.rawValue) with \(count(settings.policy.rules.count, "rule"))",
            count(settings.monitors.count, "monitor"),
        ].compactMap(\.self).joined(separator: "; ")
    }

    private static func listeners(_ settings: Settings) -> [String] {
        settings.https == nil ? settings.listen.map(\.text) : ListenerWords.list(settings.listen, settings)
    }

    private static func who(_ settings: Settings) -> String {
        let certificates = settings.https?.demandsCertificate == true ? "clients with a certificate" : nil
        let tokens = settings.tokens.isEmpty ? nil : count(settings.tokens.count, "token")
        let known = [certificates, tokens].compactMap(\.self).joined(separator: " and ")
        return known.isEmpty ? "anybody there may ask" : "\(known) may ask"
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
