import ArgumentParser
import CheckModel
import Configuration
import NetworkTypes
import TLS

/// The URL of a health check: an HTTP resource over TCP or a UNIX-domain socket.
struct HealthURL {
    enum Peer {
        case internet(Host, port: UInt16)
        case unix(UnixAddress)

        var host: Host? {
            switch self {
            case .internet(let host, _): host
            case .unix: nil
            }
        }
    }

    let peer: Peer
    /// Whether the request uses TLS.
    let isHTTPS: Bool
    /// The Host header.
    let authority: String
    /// Path and query.
    let resource: String
    /// The text as written.
    let text: String

    private static let livez = "/livez"

    /// Parses `http://host:port/path`, `https://host:port/path`, `host:port` and `unix:/path`. The default path is `/livez`.
    init(parsing text: String) throws {
        self.text = text
        if text.hasPrefix("unix:") {
            guard case .unix(.stream, let address) = try Self.target(text, in: text).peer else {
                throw Self.refusal(text)
            }
            peer = .unix(address)
            isHTTPS = false
            authority = "localhost"
            resource = Self.livez
            return
        }
        isHTTPS = text.hasPrefix("https://")
        let rest = isHTTPS ? text.dropFirst(8) : text.hasPrefix("http://") ? text.dropFirst(7) : text[...]
        let host = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(host.count)
        guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw ValidationError("\"\(text)\": the path contains a character that HTTP does not allow")
        }
        let hasPort = host.split(separator: "]", omittingEmptySubsequences: false).last?.contains(":") ?? false
        guard
            case .tcp(let name, let port) = try Self.target(
                "tcp://\(host)\(hasPort ? "" : isHTTPS ? ":443" : ":80")", in: text
            ).peer
        else {
            throw Self.refusal(text)
        }
        peer = .internet(name, port: port)
        authority = Self.hostHeader(String(host), of: name)
        resource = path.isEmpty ? Self.livez : path.hasPrefix("?") ? "/\(path)" : String(path)
    }

    /// The URL of the local service: the first address of `CONNECTD_HEALTH_LISTEN`, else of `CONNECTD_LISTEN`, else the
    /// default.
    init(environment: [String: String]) throws {
        let lists = ["CONNECTD_HEALTH_LISTEN", "CONNECTD_LISTEN"].compactMap { environment[$0] }
        let first = lists.lazy.compactMap { $0.split(separator: ",").first }.first ?? "127.0.0.1:8080"
        try self.init(parsing: Self.reachable(String(first.drop { $0 == " " }.prefix { $0 != " " }), "http"))
    }

    /// The URL of a listener.
    init(of address: ListenAddress, isHTTPS: Bool) throws {
        try self.init(parsing: Self.reachable(address.text, isHTTPS ? "https" : "http"))
    }

    /// Replaces a wildcard address by loopback.
    private static func reachable(_ listen: String, _ scheme: String) -> String {
        if listen.hasPrefix("unix:") { return String(listen.prefix { $0 != "?" }) }
        for (wildcard, loopback) in [("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:")] where listen.hasPrefix(wildcard) {
            return "\(scheme)://\(loopback)\(listen.dropFirst(wildcard.count))/livez"
        }
        return "\(scheme)://\(listen)/livez"
    }

    private static func target(_ target: String, in text: String) throws -> Target {
        do throws(TargetError) {
            return try Target(parsing: target)
        } catch {
            throw ValidationError("\"\(text)\": \(error.detail)")
        }
    }

    /// The Host header: `host` as written, but an IDN in its ASCII form.
    private static func hostHeader(_ host: String, of parsed: Host) -> String {
        guard case .name(let name) = parsed, !host.utf8.allSatisfy({ $0 < 0x80 }) else { return host }
        return name + (host.lastIndex(of: ":").map { String(host[$0...]) } ?? "")
    }

    private static func refusal(_ text: String) -> ValidationError {
        ValidationError("\"\(text)\" is not a URL: write http://host:port/path, https://host:port/path or unix:/path")
    }
}

/// The endpoint of a health check.
struct HealthEndpoint {
    let url: HealthURL
    /// The certificate that the service must present there; nil for any verified one.
    var certificate: CertificateReport?

    /// The endpoint of a URL.
    init(_ text: String) throws {
        url = try HealthURL(parsing: text)
    }

    /// The endpoint from the configuration and the environment: a health listener, else a listener without TLS, else the
    /// first listener.
    /// - Throws: `ConfigurationProblems` for an invalid configuration.
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
