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

/// Asks the kernel for routes. It uses one datagram socket for each family, associates it with each destination in turn, and
/// dissolves the association after each. Nothing is sent.
///
/// A destination takes some microseconds, and the system calls do not block: many destinations belong on a thread that may
/// be busy for a while.
public struct RouteFinder: ~Copyable {
    private let policy: Policy?
    private var sockets = RouteSockets()
    /// Whether this machine has an address of the family: to list the interfaces for each destination would take long.
    private var hasAddress: [AddressFamily: Bool] = [:]

    /// - Parameter context: its policy judges each destination before the kernel is asked.
    public init(in context: CheckContext) {
        policy = context.policy
    }

    /// The route to a destination. A failure is an answer too.
    public mutating func route(to destination: IPAddress) -> RouteAnswer {
        if let policy, isDenied(destination, by: policy) {
            return RouteAnswer(destination: destination, local: nil, error: Classifier.report(for: .denied))
        }
        do throws(RouteSockets.Failure) {
            return RouteAnswer(destination: destination, local: try sockets.source(toward: destination), error: nil)
        } catch {
            return RouteAnswer(destination: destination, local: nil, error: report(error, destination))
        }
    }

    private func isDenied(_ destination: IPAddress, by policy: Policy) -> Bool {
        let endpoint = IPEndpoint(address: destination, port: RouteSockets.port)
        switch policy.judge(endpoint, transport: .udp, isLocal: LocalAddresses.contains) {
        case .allow: return false
        case .deny: return true
        }
    }

    private mutating func report(_ failure: RouteSockets.Failure, _ destination: IPAddress) -> ErrorReport {
        var circumstances = Circumstances(phase: failure.phase, transport: .udp)
        circumstances.destination = destination
        if failure.errno.rawValue == EADDRNOTAVAIL {
            let family = destination.family
            let known = hasAddress[family] ?? LocalAddresses.hasAny(of: family)
            hasAddress[family] = known
            circumstances.hasAddressOfFamily = known
        }
        return Classifier.report(for: failure.errno, in: circumstances)
    }
}

/// One datagram socket for each family, created when it is first needed.
struct RouteSockets: ~Copyable {
    struct Failure: Error {
        let errno: Errno
        let phase: Phase
    }

    /// The port does not matter, because nothing is sent. 9 is the discard port of RFC 863.
    static let port: UInt16 = 9

    private var ipv4: Socket?
    private var ipv6: Socket?

    /// The address that a datagram to `destination` would be sent from.
    mutating func source(toward destination: IPAddress) throws(Failure) -> IPAddress? {
        switch destination {
        case .v4: try Self.source(toward: destination, using: &ipv4)
        case .v6: try Self.source(toward: destination, using: &ipv6)
        }
    }

    private static func source(
        toward destination: IPAddress, using cached: inout Socket?
    ) throws(Failure) -> IPAddress? {
        do throws(Errno) {
            if cached == nil { cached = try Socket(.udp(destination.family)) }
        } catch {
            throw Failure(errno: error, phase: .socket)
        }
        switch cached {
        case .some(let socket): return try source(toward: destination, using: socket)
        case .none: return nil
        }
    }

    private static func source(
        toward destination: IPAddress, using socket: borrowing Socket
    ) throws(Failure) -> IPAddress? {
        do throws(Errno) {
            // A socket keeps the source address of its association, so each association is removed before the next one.
            defer { try? socket.dissolve() }
            _ = try socket.connect(to: .ip(IPEndpoint(address: destination, port: port)))
            guard let name = socket.localName() else { throw Errno.current }
            return name.address
        } catch {
            throw Failure(errno: error, phase: .connect)
        }
    }
}
