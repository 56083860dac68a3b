import CLinux
import CheckEngine
import NetworkTypes

/// How the descriptors of the process are shared out: RLIMIT_NOFILE, getrlimit(2).
///
/// Connections beyond the budget are answered by 503, so that an attack on the listener never takes the sockets away that
/// checks need.
struct DescriptorBudget {
    /// Client connections.
    let connections: Int
    /// Checks in flight: the configured number, or what the limit leaves. More would fail for want of a descriptor.
    let checks: Int
    /// The sockets of checks: one for each, and more for those that try several addresses at once.
    let checkSockets: Int
    /// What an operator should know, if the limit is too low for the configured number of checks.
    let warning: String?

    /// What everything else needs: listeners, epoll sets, name servers, files. Where there are few, it gets by with less.
    private static let reserve = 128
    private static let mostConnections = 16_384
    private static let mostLingeringOfWorker = 256
    /// Connections of each worker that have had their answer and are read for a while longer.
    let lingeringOfWorker: Int

    /// Fewer do not suffice for the service itself. libdispatch ends a process in which it cannot open a file.
    private static let leastLimit = 32

    /// Raises the soft limit to the hard one, and divides it.
    /// - Throws: EMFILE, if the limit is too low for any service.
    init(inFlight: Int, workers: Int) throws(Errno) {
        let limit = Self.raisedLimit()
        guard limit >= Self.leastLimit else { throw Errno(EMFILE) }
        let reserve = min(Self.reserve, max(limit / 4, 16 + 8 * workers))
        let available = max(limit - reserve, 8)
        lingeringOfWorker = max(min(Self.mostLingeringOfWorker, available / 4 / workers), 1)
        let shared = max(available - lingeringOfWorker * workers, 2)
        checks = min(inFlight, max(shared / 2, 1))
        connections = min(Self.mostConnections, max(shared - checks, 1))
        checkSockets = min(Admission.wantedSockets(for: checks), max(shared - connections, checks))
        warning =
            checks < inFlight
            ? "the limit of \(limit) file descriptors allows only \(checks) checks at once, less than limits.in_flight (\(inFlight)): raise LimitNOFILE or ulimit -n"
            : nil
    }

    /// How many checks of the command line may run at once: what the limit leaves beside epoll, files and name servers.
    static func checks(eachHolding descriptors: Int) -> Int {
        max((raisedLimit() - 40) / descriptors, 1)
    }

    private static func raisedLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        // A sandbox may forbid it: then what is in force counts.
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return Int(min(limit.rlim_cur, rlim_t(1 << 20)))
    }
}

/// The processors that this process may use.
enum Processors {
    static var available: Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }
}
