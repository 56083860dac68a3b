internal import CLinux
public import CheckModel
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
    public static func routes(to destinations: [IPAddress], under surroundings: Surroundings) -> [RouteAnswer] {
        var sockets = RouteSockets()
        return destinations.map { destination in
            if let policy = surroundings.policy, isDenied(destination, by: policy) {
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
