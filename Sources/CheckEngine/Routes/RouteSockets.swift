internal import CheckModel
internal import SocketIO

/// One datagram socket for each family, made when it is first needed.
struct RouteSockets: ~Copyable {
    struct Failure: Error {
        let errno: Errno
        let phase: Phase
    }

    /// Any port does, since nothing is sent: discard, RFC 863.
    static let port: UInt16 = 9

    private var ipv4: Socket?
    private var ipv6: Socket?

    /// The address that a datagram to `destination` would leave from.
    mutating func source(towards destination: IPAddress) throws(Failure) -> IPAddress? {
        switch destination {
        case .v4: try Self.source(towards: destination, by: &ipv4)
        case .v6: try Self.source(towards: destination, by: &ipv6)
        }
    }

    private static func source(
        towards destination: IPAddress, by kept: inout Socket?
    ) throws(Failure) -> IPAddress? {
        do throws(Errno) {
            if kept == nil { kept = try Socket(.udp(destination.family)) }
        } catch {
            throw Failure(errno: error, phase: .socket)
        }
        switch kept {
        case .some(let socket): return try source(towards: destination, by: socket)
        case .none: return nil
        }
    }

    private static func source(
        towards destination: IPAddress, by socket: borrowing Socket
    ) throws(Failure) -> IPAddress? {
        do throws(Errno) {
            // An association that stands would keep its source address: each ends before the next begins.
            defer { try? socket.dissolve() }
            _ = try socket.connect(to: .ip(IPEndpoint(address: destination, port: port)))
            return socket.localName()?.address
        } catch {
            throw Failure(errno: error, phase: .connect)
        }
    }
}
