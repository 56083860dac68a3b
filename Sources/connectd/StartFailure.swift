import CheckModel
import ConnectAPI
import Glibc
import HTTPServer
import Logging

/// Why the service cannot start, for people.
enum StartFailure {
    /// On standard error; for the journal as errors.
    static func say(_ text: String) {
        let isForJournal = JournalPriority.isWanted(environment: Environment.all)
        Output.errorLine(isForJournal ? JournalPriority.marked(text, as: .error) : text)
    }

    static func text(_ error: HTTPServiceError) -> String {
        switch error {
        case .cannotListen(let address, let errno):
            "cannot listen on \(address.text): \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
                + advice(address, errno)
        case .cannotStartWorker(let errno):
            "cannot start a worker: \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
        }
    }

    /// For what a command needs before its first check: descriptors, memory, threads.
    static func text(of errno: Errno) -> String {
        let reason = "\(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
        switch errno.rawValue {
        case EMFILE: return "too few descriptors (\(reason)): raise the limit, for example with `ulimit -n 1024`"
        case ENFILE: return "the machine is out of descriptors (\(reason)): raise fs.file-max"
        default: return "cannot start: \(reason)"
        }
    }

    /// What to do about the failures that people meet.
    private static func advice(_ address: ListenAddress, _ errno: Errno) -> String {
        switch (address, errno.rawValue) {
        case (.ip, EADDRINUSE):
            return "; `ss -ltnp` shows who has it, --listen (make run LISTEN=127.0.0.1:9000) takes another"
        case (.ip(let endpoint), EACCES) where endpoint.port < 1024:
            return """
                ; a port under 1024 needs a right: use a port from 1024 on, give the unit \
                AmbientCapabilities=CAP_NET_BIND_SERVICE or the container the capability NET_BIND_SERVICE, \
                let systemd open the socket (connectd.socket), or lower net.ipv4.ip_unprivileged_port_start
                """
        case (.ip, EADDRNOTAVAIL):
            return "; no interface has this address: `ip -br address` lists those that are there"
        case (.unix(let path, _), EACCES):
            return "; the folder of \(String(decoding: path, as: UTF8.self)) must be writable for this user"
        case (.unix, ENOENT):
            return "; the folder of the socket does not exist"
        default:
            return ""
        }
    }
}
