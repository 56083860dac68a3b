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
