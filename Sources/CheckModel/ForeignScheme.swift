/// A URL scheme that people put before a target, and the port that it implies.
struct ForeignScheme {
    /// What the target begins with instead: `tcp://`, `tls://` or `udp://`.
    let prefix: String
    /// Nil where the scheme implies no port.
    let port: UInt16?
    /// Whether the scheme is one of the table's, or connectd's own.
    let isKnown: Bool

    /// The scheme of that name in small letters; a name that is not known is taken as TCP without a port of its own.
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

    /// The port that is probably meant by a name in small letters; nil for a word that no name is near.
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
        "snmp": ("udp", 161), "syslog": ("udp", 514), "stun": ("udp", 3478), "quic": ("udp", 443), "h3": ("udp", 443),
    ]

    private static let otherPortNames: [String: UInt16] = [
        "postgres": 5432, "pgsql": 5432, "psql": 5432, "mariadb": 3306, "mongo": 27017, "rabbitmq": 5672,
        "memcache": 11211, "dns": 53, "www": 80, "web": 80, "ssl": 443, "tls": 443, "mssql": 1433, "oracle": 1521,
        "etcd": 2379, "zookeeper": 2181, "cassandra": 9042, "valkey": 6379, "elastic": 9200, "prometheus": 9090,
        "grafana": 3000, "consul": 8500, "vault": 8200, "docker": 2375, "vnc": 5900, "sip": 5060, "rsync": 873,
        "kerberos": 88, "smb": 445, "git": 9418,
    ]
}
