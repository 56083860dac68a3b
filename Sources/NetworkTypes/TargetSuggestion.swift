/// Suggestions for targets that cannot be parsed.
///
/// Every suggestion is a valid target: it is parsed before it is shown.
enum TargetSuggestion {
    /// The end of an error, such as `did you mean tls://example.com:443?`; nil if no guess is good.
    static func sentence(for text: String) -> String? {
        guard text.utf8.count <= longestText else { return nil }
        let written = text.trimmed { $0.isWhitespace || "\"'`<>,;".contains($0) }
        if let sentence = unixSentence(for: written) { return VisibleText.of(sentence) }
        guard let guess = TargetGuess(written) else { return nil }
        let targets = guess.targets.filter { (try? Target(exactly: $0)) != nil }
        guard !targets.isEmpty, targets.count == guess.targets.count else { return nil }
        return sentence(targets, of: guess)
    }

    private static let longestText = 1024

    private static func sentence(_ targets: [String], of guess: TargetGuess) -> String {
        if guess.isRange { return "write one target for each port, as in \(targets[0])" }
        if guess.isNetwork { return "write one target for each address, as in \(targets[0])" }
        if guess.isPortMissing { return "write the port too, as in \(targets[0])" }
        return "did you mean \(targets.joined(separator: " and "))?"
    }

    /// For a path without `unix:`, and for a UNIX-domain URL whose path has too few slashes.
    private static func unixSentence(for written: String) -> String? {
        if written.hasPrefix("./") || written.hasPrefix("../") || written.hasPrefix("~") {
            return absolutePathSentence(written.split(separator: "/").last ?? "x.sock")
        }
        guard let url = unixURL(for: written), (try? Target(exactly: url)) != nil else {
            return written.hasSuffix(".sock") && !written.contains("/")
                ? absolutePathSentence(written[...]) : nil
        }
        return "did you mean \(url)?"
    }

    private static func absolutePathSentence(_ name: Substring) -> String? {
        let url = "unix:/path/to/\(name)"
        return (try? Target(exactly: url)) == nil ? nil : "write the absolute path, as in \(url)"
    }

    private static func unixURL(for written: String) -> String? {
        if written.hasPrefix("/"), !written.hasPrefix("//") { return "unix:\(written)" }
        if written.hasPrefix("@"), !written.contains(":") { return "unix:\(written)" }
        for scheme in ["unix", "unix+dgram", "unix+seqpacket", "file", "http+unix"] {
            guard let rest = written.dropping(prefix: "\(scheme):") else { continue }
            let path = scheme == "http+unix" ? rest.percentDecodedPath : String(rest)
            let own = TargetScheme(rawValue: scheme) == nil ? "unix" : scheme
            let name = path.drop { $0 == "/" }
            guard !name.isEmpty else { return nil }
            return name.first == "@" ? "\(own):\(name)" : "\(own):/\(name)"
        }
        return nil
    }
}

/// A guess at the intended target: one host with one or more ports.
private struct TargetGuess {
    private(set) var targets: [String] = []
    /// The text has no port, and its scheme implies none: the port shown is an example.
    private(set) var isPortMissing = false
    /// The text has a range of ports.
    private(set) var isRange = false
    /// The text is a CIDR.
    private(set) var isNetwork = false

    init?(_ written: String) {
        let (scheme, rest) = Self.splitScheme(written)
        var prefix = scheme?.prefix ?? ""
        var authority = rest.drop { $0 == "/" }
        for transport in ["tcp", "udp"] {
            guard let shorter = authority.dropping(suffix: "/\(transport)") else { continue }
            authority = shorter
            prefix = "\(transport)://"
        }
        if let address = Self.firstAddress(ofNetwork: authority) {
            authority = Substring(address)
            isNetwork = true
        }
        authority = authority.prefix { !"/?#".contains($0) }
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        let parts = authority.split(separator: ",").map { $0.trimmed(where: \.isWhitespace) }
        guard let first = parts.first, parts.count <= 8 else { return nil }
        let head = HostAndPort(first)
        for part in parts {
            let isPort = targets.count > 0 && part.allSatisfy(\.isWholeNumber)
            let one = isPort ? HostAndPort(host: head.host, port: part) : HostAndPort(part)
            guard let host = one.urlHost else { return nil }
            guard let port = port(of: one, scheme: scheme) else { return nil }
            targets.append("\(prefix)\(host):\(port)")
        }
    }

    /// Returns the port number; nil if it cannot be guessed.
    private mutating func port(of part: HostAndPort, scheme: ForeignScheme?) -> String? {
        guard let written = part.port, !written.isEmpty else {
            if let port = scheme?.port { return String(port) }
            isPortMissing = true
            return scheme?.prefix == "udp://" ? "53" : "443"
        }
        if let number = UInt16(written), number > 0 { return String(number) }
        let bounds = written.split(separator: "-", omittingEmptySubsequences: false)
        if bounds.count == 2, let low = UInt16(bounds[0]), low > 0, UInt16(bounds[1]) != nil {
            isRange = true
            return String(low)
        }
        return ForeignScheme.port(named: written.lowercased()).map(String.init)
    }

    /// Removes `scheme://`, or `scheme:` if no port follows.
    private static func splitScheme(_ written: String) -> (ForeignScheme?, Substring) {
        let text = written.dropping(prefix: "jdbc:") ?? written[...]
        guard let colon = text.firstIndex(of: ":") else { return (nil, text) }
        let name = text[..<colon].lowercased()
        let rest = text[text.index(after: colon)...]
        if rest.hasPrefix("//") { return (ForeignScheme(named: name), rest) }
        let scheme = ForeignScheme(named: name)
        guard scheme.isKnown, ForeignScheme.port(named: rest.lowercased()) == nil else { return (nil, text) }
        return (scheme, rest)
    }

    /// Returns `10.0.0.1:80` for `10.0.0.0/30:80`; nil if the text is not a CIDR block.
    private static func firstAddress(ofNetwork text: Substring) -> String? {
        guard let slash = text.firstIndex(of: "/") else { return nil }
        let tail = text[text.index(after: slash)...]
        let length = tail.prefix(while: \.isWholeNumber)
        let rest = tail.dropFirst(length.count)
        guard let bits = UInt8(length), rest.isEmpty || rest.first == ":" else { return nil }
        let host = text[..<slash].trimmed { "[]".contains($0) }
        if let address = IPv4Address(parsing: host[...]), bits <= 32 {
            let first = bits < 31 && address.bits & ~(UInt32.max << (32 - UInt32(bits))) == 0
            return IPv4Address(bits: first ? address.bits + 1 : address.bits).text + rest
        }
        guard let address = IPv6Address(parsing: host[...]), bits <= 128 else { return nil }
        return "[\(address.text)]" + rest
    }
}

/// A host and a port in informal notation: with a space between them, or IPv6 without brackets.
private struct HostAndPort {
    var host: String
    var port: String?

    init(host: String, port: String?) {
        self.host = host
        self.port = port
    }

    init(_ text: String) {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...].drop { ": ".contains($0) }
            self.init(
                host: String(text[text.index(after: text.startIndex)..<end]), port: rest.isEmpty ? nil : String(rest))
            return
        }
        let colons = text.count { $0 == ":" }
        if let blank = text.firstIndex(where: \.isWhitespace) {
            let port = text[blank...].trimmed { $0.isWhitespace || $0 == ":" }
            self.init(host: text[..<blank].trimmed { $0 == ":" }, port: port)
        } else if let colon = text.lastIndex(of: ":") {
            let (left, right) = (text[..<colon], String(text[text.index(after: colon)...]))
            let isWholeAddress = colons > 1 && (IPv6Address(parsing: left) == nil || UInt16(right) == nil)
            self.init(host: isWholeAddress ? text : String(left), port: isWholeAddress ? nil : right)
        } else {
            self.init(host: text, port: nil)
        }
    }

    /// The host as in a URL, `localhost` if it is empty; nil if it cannot be a host.
    var urlHost: String? {
        if host.isEmpty { return "localhost" }
        if host.contains(":") { return IPv6Address(parsing: host[...]).map { "[\($0.text)]" } }
        return legacyAddress(host)?.text ?? host
    }

    /// An address in a form of inet_aton(3) that is not a dotted quad: `127.1`, `0x7f.1`, `2130706433`, `0177.0.0.1`.
    private func legacyAddress(_ text: String) -> IPv4Address? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { part -> UInt32? in
            if let digits = part.lowercased().dropping(prefix: "0x") { return UInt32(digits, radix: 16) }
            return part.hasPrefix("0") ? UInt32(part, radix: 8) : UInt32(part)
        }
        guard (1...4).contains(parts.count), let last = parts[parts.count - 1] else { return nil }
        var bits: UInt32 = 0
        for (index, part) in parts.dropLast().enumerated() {
            guard let part, part <= 255 else { return nil }
            bits |= part << (24 - 8 * UInt32(index))
        }
        let room = 32 - 8 * UInt64(parts.count - 1)
        guard UInt64(last) < 1 << room else { return nil }
        return IPv4Address(bits: bits | last)
    }
}

extension StringProtocol {
    fileprivate func trimmed(where isCut: (Character) -> Bool) -> String {
        let start = self.drop(while: isCut)
        var end = start.endIndex
        while end > start.startIndex, isCut(start[start.index(before: end)]) { end = start.index(before: end) }
        return String(start[..<end])
    }

    fileprivate func dropping(prefix: String) -> SubSequence? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }

    fileprivate func dropping(suffix: String) -> SubSequence? {
        hasSuffix(suffix) ? dropLast(suffix.count) : nil
    }

    /// The authority of `http+unix://%2Frun%2Fx.sock/path`, decoded.
    fileprivate var percentDecodedPath: String {
        let authority = self.drop { $0 == "/" }.prefix { $0 != "/" }
        var bytes: [UInt8] = []
        var rest = Array(authority.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == .percent, let decoded = UInt8(digits, radix: 16) {
                bytes.append(decoded)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A URL scheme of another protocol, and the port that it implies.
struct ForeignScheme {
    /// What the target begins with instead: `tcp://`, `tls://`, `udp://` or `quic://`.
    let prefix: String
    /// nil if the scheme implies no port.
    let port: UInt16?
    /// Whether the scheme is one of the table's, or connectd's own.
    let isKnown: Bool

    /// Makes the scheme with that name in lowercase; an unknown name means TCP without a default port.
    init(named name: String) {
        if let (transport, port) = Self.table[name] {
            self.init(prefix: "\(transport)://", port: port, isKnown: true)
        } else if let port = PortNames.port(named: name) {
            self.init(prefix: "tcp://", port: port, isKnown: true)
        } else {
            self.init(prefix: "tcp://", port: nil, isKnown: false)
        }
    }

    private init(prefix: String, port: UInt16?, isKnown: Bool) {
        self.prefix = prefix
        self.port = port
        self.isKnown = isKnown
    }

    /// Returns the port for a name in lowercase or for the most similar known name; nil if none is similar.
    static func port(named name: String) -> UInt16? {
        if let port = PortNames.port(named: name) ?? otherPortNames[name] { return port }
        guard name.utf8.count >= 4 else { return nil }
        let nearest = PortNames.table.map { (distance: Spelling.distance(name, $0.key), port: $0.value) }
            .min { ($0.distance, $0.port) < ($1.distance, $1.port) }
        return nearest.flatMap { $0.distance <= min(2, name.utf8.count / 4) ? $0.port : nil }
    }

    private static let table: [String: (transport: String, port: UInt16?)] = [
        "tcp": ("tcp", nil), "tcp4": ("tcp", nil), "tcp6": ("tcp", nil), "udp": ("udp", nil), "udp4": ("udp", nil),
        "udp6": ("udp", nil), "tls": ("tls", 443), "ssl": ("tls", 443), "https": ("tls", 443), "wss": ("tls", 443),
        "h2": ("tls", 443), "grpcs": ("tls", 443), "tcps": ("tls", nil), "ws": ("tcp", 80), "h2c": ("tcp", 80),
        "ftps": ("tls", 990), "smtps": ("tls", 465), "imaps": ("tls", 993), "pop3s": ("tls", 995),
        "ldaps": ("tls", 636), "amqps": ("tls", 5671), "mqtts": ("tls", 8883), "rediss": ("tls", 6379),
        "sftp": ("tcp", 22), "scp": ("tcp", 22), "pop": ("tcp", 110), "git": ("tcp", 9418), "rtsp": ("tcp", 554),
        "postgres": ("tcp", 5432), "mariadb": ("tcp", 3306), "mongodb": ("tcp", 27017), "valkey": ("tcp", 6379),
        "sqlserver": ("tcp", 1433), "mssql": ("tcp", 1433), "oracle": ("tcp", 1521), "zookeeper": ("tcp", 2181),
        "sip": ("udp", 5060), "sips": ("tls", 5061), "dns": ("udp", 53), "domain": ("udp", 53), "ntp": ("udp", 123),
        "snmp": ("udp", 161), "syslog": ("udp", 514), "stun": ("udp", 3478), "quic": ("quic", 443), "h3": ("quic", 443),
    ]

    private static let otherPortNames: [String: UInt16] = [
        "postgres": 5432, "pgsql": 5432, "psql": 5432, "mariadb": 3306, "mongo": 27017, "rabbitmq": 5672,
        "memcache": 11211, "dns": 53, "www": 80, "web": 80, "ssl": 443, "tls": 443, "mssql": 1433, "oracle": 1521,
        "etcd": 2379, "zookeeper": 2181, "cassandra": 9042, "valkey": 6379, "elastic": 9200, "prometheus": 9090,
        "grafana": 3000, "consul": 8500, "vault": 8200, "docker": 2375, "vnc": 5900, "sip": 5060, "rsync": 873,
        "kerberos": 88, "smb": 445, "git": 9418,
    ]
}

/// The edit distance between words.
public enum Spelling {
    /// Returns the Levenshtein distance in bytes; `Int.max` if a word has more than 64 bytes.
    public static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count <= 64, right.count <= 64 else { return .max }
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let substituted = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }

    /// Returns the most similar word: at most two edits away, and at most half the length of the word; nil if there is
    /// none.
    public static func nearest(to word: String, among words: some Sequence<String>) -> String? {
        let nearest = words.map { (word: $0, distance: distance(word, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= min(2, max(1, word.count / 2)) else { return nil }
        return nearest.word
    }
}
