/// The only port names that a target may use; the specification lists the same ones (`x-port-names`).
public enum PortNames {
    /// The port behind a name, in small letters as the table has it; nil for any other name.
    public static func port(named name: some StringProtocol) -> UInt16? {
        table[String(name)]
    }

    public static let table: [String: UInt16] = [
        "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "http": 80, "pop3": 110, "ntp": 123, "imap": 143,
        "snmp": 161, "ldap": 389, "https": 443, "smtps": 465, "syslog": 514, "submission": 587, "ldaps": 636,
        "imaps": 993, "pop3s": 995, "mqtt": 1883, "nfs": 2049, "mysql": 3306, "rdp": 3389, "nats": 4222,
        "postgresql": 5432, "amqps": 5671, "amqp": 5672, "redis": 6379, "mqtts": 8883, "kafka": 9092,
        "elasticsearch": 9200, "memcached": 11211, "mongodb": 27017,
    ]
}
