internal import AccessPolicy
internal import CLinux
public import ErrorCatalogue
public import NetworkTypes
internal import SocketIO

/// The kernel's answer for one destination: the source address, or an error.
public struct RouteAnswer: Sendable {
    public let destination: IPAddress
    /// The source address that the kernel would choose; nil if there is an error.
    public let local: IPAddress?
    public let error: ErrorReport?
}

/// Asks the kernel which source address it would choose. It associates one datagram socket per family with each
/// destination in turn, and removes the association after that. Nothing is sent.
public enum RouteFinder {
    /// The answers, in the order of the destinations. A destination that the context's policy denies is not looked up.
    public static func routes(to destinations: [IPAddress], in context: CheckContext) -> [RouteAnswer] {
        var sockets = RouteSockets()
        return destinations.map { destination in
            if let policy = context.policy, isDenied(destination, by: policy) {
                return RouteAnswer(destination: destination, local: nil, error: Classifier.report(for: .denied))
            }
            do throws(RouteSockets.Failure) {
                return RouteAnswer(
                    destination: destination, local: try sockets.source(to: destination), error: nil)
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

/// One datagram socket for each family, created on first use.
struct RouteSockets: ~Copyable {
    struct Failure: Error {
        let errno: Errno
        let phase: Phase
    }

    /// The port does not matter, because nothing is sent. 9 is the discard port of RFC 863.
    static let port: UInt16 = 9

    private var ipv4: Socket?
    private var ipv6: Socket?

    /// The source address of a datagram to `destination`.
    mutating func source(to destination: IPAddress) throws(Failure) -> IPAddress? {
        switch destination {
        case .v4: try Self.source(to: destination, using: &ipv4)
        case .v6: try Self.source(to: destination, using: &ipv6)
        }
    }

    private static func source(
        to destination: IPAddress, using cached: inout Socket?
    ) throws(Failure) -> IPAddress? {
        do throws(Errno) {
            if cached == nil { cached = try Socket(.udp(destination.family)) }
        } catch {
            throw Failure(errno: error, phase: .socket)
        }
        switch cached {
        case .some(let socket): return try source(to: destination, using: socket)
        case .none: return nil
        }
    }

    private static func source(
        to destination: IPAddress, using socket: borrowing Socket
    ) throws(Failure) -> IPAddress? {
        do throws(Errno) {
            // A socket keeps the source address of its association, so each association is removed before the next one.
            defer { try? socket.dissolve() }
            _ = try socket.connect(to: .ip(IPEndpoint(address: destination, port: port)))
            return socket.localName()?.address
        } catch {
            throw Failure(errno: error, phase: .connect)
        }
    }
}
