/// The kind of socket that a UNIX-domain target listens on.
public enum UnixSocketType: String, CaseIterable, Sendable {
    case stream, dgram, seqpacket
}

/// The host of a target: an address, or a name to resolve.
public enum Host: Hashable, Sendable {
    case address(IPAddress)
    /// An ASCII name of at most 253 bytes, as written; an IDN in its ASCII form. A trailing dot is kept: it disables
    /// search domains.
    case name(String)
}

/// The parsed target of a check.
public struct Target: Hashable, Sendable {
    public enum Peer: Hashable, Sendable {
        case tcp(Host, port: UInt16)
        case udp(Host, port: UInt16)
        case unix(UnixSocketType, UnixAddress)
    }

    public let peer: Peer
    /// Whether a TLS handshake follows the connect: true for `tls://`.
    public let impliesTLS: Bool
    /// Whether the target is asked as a QUIC server is: true for `quic://`.
    public let impliesQUIC: Bool
    /// The target in results: the URL as written, or the URL form of an object.
    public let text: String

    public init(peer: Peer, impliesTLS: Bool = false, impliesQUIC: Bool = false, text: String) {
        self.peer = peer
        self.impliesTLS = impliesTLS
        self.impliesQUIC = impliesQUIC
        self.text = text
    }

    /// Whether the target is a datagram socket, which is associated instead of connected.
    public var isDatagram: Bool {
        switch peer {
        case .udp, .unix(.dgram, _): true
        case .tcp, .unix(.stream, _), .unix(.seqpacket, _): false
        }
    }
}

/// The transport of a target.
public enum Transport: String, CaseIterable, Sendable {
    case tcp, udp, unix
}

extension Target {
    /// Makes a target from its object form: `{"transport":"tcp","host":"h","port":443}`.
    ///
    /// - Parameters:
    ///   - transport: `tcp`, `tls` or `udp`.
    ///   - host: A name or an address; IPv6 without brackets.
    ///   - port: 1 … 65535, or a name of `PortNames`.
    /// - Throws: Why the target is invalid, and the invalid member.
    public init(transport: String, host: String, port: TargetPort) throws(TargetError) {
        guard let scheme = TargetScheme(rawValue: transport), scheme.unixSocketType == nil, scheme != .quic else {
            throw TargetError(
                "the transport must be tcp, tls or udp for a target with host and port", member: .transport)
        }
        let parsed = try Host(member: host)
        let number = try port.number()
        self.init(
            peer: scheme == .udp ? .udp(parsed, port: number) : .tcp(parsed, port: number),
            impliesTLS: scheme == .tls, text: "\(transport)://\(parsed.urlText(written: host)):\(port.text)")
    }

    /// Makes a target from its object form: `{"transport":"unix","socket_type":"stream","path":"/run/x.sock"}`.
    ///
    /// - Parameter path: An absolute path, or `@` and an abstract name.
    /// - Throws: Why the path is invalid.
    public init(socketType: UnixSocketType, path: String) throws(TargetError) {
        let address = try UnixAddress(written: path.utf8.span)
        let authority = path.hasPrefix("//") ? "//" : ""
        self.init(
            peer: .unix(socketType, address), text: "\(TargetScheme(socketType).rawValue):\(authority)\(path)")
    }
}

extension Target {
    /// The transport, as policies name it.
    public var transport: Transport {
        switch peer {
        case .tcp: .tcp
        case .udp: .udp
        case .unix: .unix
        }
    }
}

/// The scheme of a target's URL.
enum TargetScheme: String, CaseIterable {
    case tcp, tls, udp, quic, unix
    case unixDatagram = "unix+dgram"
    case unixSeqpacket = "unix+seqpacket"

    /// Makes the scheme with that name, in any case.
    init?(name: Span<UInt8>) {
        for scheme in Self.allCases where name.count == scheme.rawValue.utf8.count {
            if zip(0..., scheme.rawValue.utf8).allSatisfy({ name[$0].lowercasedASCII == $1 }) {
                self = scheme
                return
            }
        }
        return nil
    }

    init(_ type: UnixSocketType) {
        switch type {
        case .stream: self = .unix
        case .dgram: self = .unixDatagram
        case .seqpacket: self = .unixSeqpacket
        }
    }

    /// The socket type; nil for schemes with a host and a port.
    var unixSocketType: UnixSocketType? {
        switch self {
        case .tcp, .tls, .udp, .quic: nil
        case .unix: .stream
        case .unixDatagram: .dgram
        case .unixSeqpacket: .seqpacket
        }
    }

    /// `tcp, tls, udp, quic, unix, unix+dgram and unix+seqpacket`.
    static var list: String {
        let names = allCases.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " and " + names.suffix(1).joined()
    }
}

/// A port in a target: a number, or a name in the built-in table.
public enum TargetPort: Hashable, Sendable {
    case number(Int)
    case name(String)

    /// Returns the port, 1 … 65535.
    ///
    /// - Throws: An error if the number is out of range or the name is unknown; a number in quotes is not a name.
    func number() throws(TargetError) -> UInt16 {
        switch self {
        case .number(let number):
            guard let port = UInt16(exactly: number), port > 0 else {
                throw TargetError("the port must be within 1…65535", member: .port)
            }
            return port
        case .name(let name):
            guard let port = PortNames.port(named: name) else {
                if !name.isEmpty, name.utf8.allSatisfy({ $0.decimalDigit != nil }) {
                    throw TargetError("the port must be a number without quotes, or a port name", member: .port)
                }
                throw TargetError(
                    "the port must be a number within 1…65535 or a known name such as https", member: .port)
            }
            return port
        }
    }

    var text: String {
        switch self {
        case .number(let number): String(number)
        case .name(let name): name
        }
    }
}

/// The port names that a target may use; the specification lists the same names (`x-port-names`).
public enum PortNames {
    /// Returns the port for a name in lowercase; nil for any other name.
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

/// Why a target is invalid: a lowercase phrase without a period, such as "the port is empty".
public struct TargetError: Error, Hashable, Sendable {
    /// The members of a target's object form.
    public enum Member: String, CaseIterable, Sendable {
        case transport, host, port, path
        case socketType = "socket_type"
    }

    public let detail: String
    /// The invalid part; nil if the whole target is invalid. In the object form it is the name of the member.
    public let member: Member?

    public init(_ detail: String, member: Member? = nil) {
        self.detail = detail
        self.member = member
    }
}
