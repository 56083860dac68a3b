import CLinux

/// The signals that steer the service. They are blocked in every thread, and waited for in one: also as PID 1, where a
/// signal that is neither blocked nor handled is lost.
enum ServiceSignals {
    enum Order {
        case stop
        /// The process that waits for how it went, where one does.
        case reload(for: ReloadSignal.Requester?)
    }

    /// Blocks the signals; to be called before any thread is started, since threads inherit the mask.
    static func block() {
        var set = self.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A peer that is gone is an errno of send(2), not the end of the process.
        connectd_ignore_sigpipe()
    }

    /// Waits for the next order: sigwaitinfo(2).
    static func next() -> Order {
        var set = self.set
        while true {
            let signal = connectd_wait_for_signal(&set, nil)
            switch signal.number {
            case SIGHUP: return .reload(for: nil)
            case ReloadSignal.number:
                if let requester = ReloadSignal.Requester(signal) { return .reload(for: requester) }
            case SIGTERM, SIGINT: return .stop
            default: continue
            }
        }
    }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP, ReloadSignal.number] { sigaddset(&set, number) }
        return set
    }
}
