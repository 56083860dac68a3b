import CLinux
import CheckEngine
import NetworkTypes

/// The shares of the process's descriptors: RLIMIT_NOFILE, getrlimit(2).
///
/// Connections beyond the budget get a 503, so an attack on the listener never uses the sockets of checks.
struct DescriptorBudget {
    /// Client connections.
    let connections: Int
    /// Checks in flight: the configured number, or less if the limit is too low for it.
    let checks: Int
    /// The sockets of checks: one for each, and more for checks that try several addresses at once.
    let checkSockets: Int
    /// The warning if a limit is too low for the configured number of checks.
    let warning: String?
    /// RLIMIT_NOFILE.
    let limit: Int

    /// Descriptors for listeners, epoll sets, name servers and files; fewer if the limit is low.
    private static let reserve = 128
    private static let mostConnections = 16_384
    private static let mostLingeringOfWorker = 256
    private static let fewLingeringOfWorker = 32
    /// Connections of each worker in lingering close: answered, but still being read.
    let lingeringOfWorker: Int

    /// The minimum for the service itself. libdispatch aborts the process if it cannot open a file.
    private static let leastLimit = 32

    /// Raises the soft limit to the hard limit, and divides it.
    /// - Parameter memory: more checks and connections than the memory allows get no descriptors.
    /// - Throws: EMFILE if the limit is too low for the service.
    init(inFlight: Int, workers: Int, memory: MemoryShares) throws(Errno) {
        limit = Self.raisedLimit()
        guard limit >= Self.leastLimit else { throw Errno(EMFILE) }
        // Each instance of the HTTP library, for 256 connections, has two.
        let instances = min(limit, 2 * Self.mostConnections) / 256
        let reserve = min(Self.reserve + instances, max(limit / 4, 16 + 8 * workers))
        let available = max(limit - reserve, 8)
        // A small part: each descriptor here is missing for a client or a check.
        let lingering = max(available / 128 / workers, Self.fewLingeringOfWorker)
        lingeringOfWorker = max(min(Self.mostLingeringOfWorker, lingering, available / 4 / workers), 1)
        let shared = max(available - lingeringOfWorker * workers, 2)
        let checksByDescriptors = max(shared / 2, 1)
        checks = min(inFlight, checksByDescriptors, memory.checkCount)
        connections = min(Self.mostConnections, memory.connections, max(shared - checks, 1))
        checkSockets = min(Admission.wantedSockets(for: checks), max(shared - connections, checks))
        warning =
            switch checks {
            case inFlight: nil
            case checksByDescriptors:
                "the limit of \(limit) file descriptors allows only \(checks) checks at once, less than limits.in_flight (\(inFlight)): raise LimitNOFILE or ulimit -n"
            default:
                "the limit of \(memory.available.bytes >> 20) MiB of memory allows only \(checks) checks at once, less than limits.in_flight (\(inFlight)): raise the memory limit of the container or unit"
            }
    }

    /// The number of checks of the command line that may run at once, after descriptors for epoll, files and name servers.
    static func checks(eachHolding descriptors: Int) -> Int {
        max((raisedLimit() - 40) / descriptors, 1)
    }

    private static func raisedLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        // A sandbox may forbid it: then the current limit stays.
        if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return Int(min(limit.rlim_cur, rlim_t(1 << 20)))
    }
}

/// The number of processors that this process may use.
enum Processors {
    static var available: Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }
}
