internal import AccessPolicy
internal import CLinux
public import ErrorCatalogue
public import NetworkTypes
internal import SocketIO

/// What the kernel would choose on the way to an address.
public struct RouteAnswer: Sendable {
    public let destination: IPAddress
    /// The source address; nil where there is an error.
    public let local: IPAddress?
    public let error: ErrorReport?
}

/// Asks the kernel for routes: one datagram socket of each family, associated anew with each destination, and dissolved
/// in between and at the end. Nothing is sent.
public enum RouteFinder {
    /// The answers, in the order of the destinations. The caller's policy, if any, has the first word.
    public static func routes(to destinations: [IPAddress], in context: CheckContext) -> [RouteAnswer] {
        var sockets = RouteSockets()
        return destinations.map { destination in
            if let policy = context.policy, isDenied(destination, by: policy) {
                return RouteAnswer(destination: destination, local: nil, error: Classifier.report(for: .denied))
            }
            do throws(RouteSockets.Failure) {
                return RouteAnswer(
                    destination: destination, local: try sockets.source(towards: destination), error: nil)
            } catch {
                return RouteAnswer(destination: destination, local: nil, error: report(error, destination))
            }
        }
    }

    private static func isDenied(_ destination: IPAddress, by policy: Policy) -> Bool {
        let endpoint = IPEndpoint(address: destination, port: RouteSockets.port)
        switch policy.judge(endpoint, transport: .udp, isLocal: LocalAddresses.contains) {
        case .allow: return false
        case .deny: return true
        }
    }

    private static func report(_ failure: RouteSockets.Failure, _ destination: IPAddress) -> ErrorReport {
        var circumstances = Circumstances(phase: failure.phase, transport: .udp)
        circumstances.destination = destination
        if failure.errno.rawValue == EADDRNOTAVAIL {
            circumstances.hasAddressOfFamily = LocalAddresses.hasAny(of: destination.family)
        }
        return Classifier.report(for: failure.errno, in: circumstances)
    }
}

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
