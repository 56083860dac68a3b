/// The kind of socket that a UNIX-domain target listens on.
public enum UnixSocketType: String, CaseIterable, Sendable {
    case stream, dgram, seqpacket
}

/// A host of a target: an address, or a name that has to be resolved.
public enum Host: Hashable, Sendable {
    case address(IPAddress)
    /// ASCII, at most 253 bytes, as it was written (a trailing dot is kept: it switches search domains off).
    case name(String)
}

/// A peer, parsed once: what a check connects to.
public struct Target: Hashable, Sendable {
    public enum Peer: Hashable, Sendable {
        case tcp(Host, port: UInt16)
        case udp(Host, port: UInt16)
        case unix(UnixSocketType, UnixAddress)
    }

    public let peer: Peer
    /// True for `tls://`: the check goes on with a TLS handshake.
    public let impliesTLS: Bool
    /// What results echo: the URL as it was written, or the URL form of an object.
    public let text: String

    public init(peer: Peer, impliesTLS: Bool = false, text: String) {
        self.peer = peer
        self.impliesTLS = impliesTLS
        self.text = text
    }

    /// Whether the socket is a datagram socket: it is associated, not connected.
    public var isDatagram: Bool {
        switch peer {
        case .udp, .unix(.dgram, _): true
        case .tcp, .unix(.stream, _), .unix(.seqpacket, _): false
        }
    }
}

/// What a target is reached through.
public enum Transport: String, CaseIterable, Sendable {
    case tcp, udp, unix
}

extension Target {
    /// A target in its object form: `{"transport":"tcp","host":"h","port":443}`.
    ///
    /// - Parameters:
    ///   - transport: `tcp`, `tls` or `udp`.
    ///   - host: A name or an address; IPv6 without brackets.
    ///   - port: 1 … 65535, or a name of `PortNames`.
    /// - Throws: What is wrong, with the member that it is wrong in.
    public init(transport: String, host: String, port: TargetPort) throws(TargetError) {
        guard let scheme = TargetScheme(rawValue: transport), scheme.unixSocketType == nil else {
            throw TargetError(
                "the transport must be tcp, tls or udp for a target with host and port", member: .transport)
        }
        let parsed = try Host(member: host)
        let number = try port.number()
        self.init(
            peer: scheme == .udp ? .udp(parsed, port: number) : .tcp(parsed, port: number),
            impliesTLS: scheme == .tls, text: "\(transport)://\(parsed.urlText):\(port.text)")
    }

    /// A target in its object form: `{"transport":"unix","socket_type":"stream","path":"/run/x.sock"}`.
    ///
    /// - Parameter path: An absolute path, or `@` and an abstract name.
    /// - Throws: What is wrong with the path.
    public init(socketType: UnixSocketType, path: String) throws(TargetError) {
        let address = try UnixAddress(written: path.utf8.span)
        let authority = path.hasPrefix("//") ? "//" : ""
        self.init(
            peer: .unix(socketType, address), text: "\(TargetScheme(socketType).rawValue):\(authority)\(path)")
    }
}

extension Target {
    /// What it is reached through, as policies name it.
    public var transport: Transport {
        switch peer {
        case .tcp: .tcp
        case .udp: .udp
        case .unix: .unix
        }
    }
}

/// What stands before the colon of a target's URL.
enum TargetScheme: String, CaseIterable {
    case tcp, tls, udp, unix
    case unixDatagram = "unix+dgram"
    case unixSeqpacket = "unix+seqpacket"

    /// The scheme with that name; capital letters are as good as small ones.
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

    /// Nil for schemes with a host and a port.
    var unixSocketType: UnixSocketType? {
        switch self {
        case .tcp, .tls, .udp: nil
        case .unix: .stream
        case .unixDatagram: .dgram
        case .unixSeqpacket: .seqpacket
        }
    }

    /// `tcp, tls, udp, unix, unix+dgram and unix+seqpacket`.
    static var list: String {
        let names = allCases.map(\.rawValue)
        return names.dropLast().joined(separator: ", ") + " and " + names.suffix(1).joined()
    }
}

/// A port as a target has it: a number, or a name of the built-in table.
public enum TargetPort: Hashable, Sendable {
    case number(Int)
    case name(String)

    /// 1 … 65535.
    ///
    /// - Throws: If the number is out of range, or the name unknown; a number in quotes is no name.
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

/// Why a target is none, in one sentence for whoever wrote it.
public struct TargetError: Error, Hashable, Sendable {
    /// The members of a target's object form.
    public enum Member: String, CaseIterable, Sendable {
        case transport, host, port, path
        case socketType = "socket_type"
    }

    public let detail: String
    /// The part that is wrong; nil where it is the whole. In the object form it is the member's name.
    public let member: Member?

    public init(_ detail: String, member: Member? = nil) {
        self.detail = detail
        self.member = member
    }
}
