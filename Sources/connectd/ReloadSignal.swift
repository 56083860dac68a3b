import CLinux
import CheckModel
import SocketIO

/// How a process asks a service to reload and learns how that went: sigqueue(3) with a value there, and one back. It needs no
/// file, no listener and no token, only the right to signal.
enum ReloadSignal {
    /// Both ways. Whoever does not wait for it passes over it: SIGHUP would end a process whose number is not a service's.
    static let number = SIGURG
    /// The value of one whose sender waits: "conn".
    private static let request: Int32 = 0x636F_6E6E

    enum Answer: Int32 {
        case loaded = 1
        case refused
    }

    /// Who waits. A sender with the service's own rights could name another process; that one is told what it ignores.
    struct Requester {
        private let process: pid_t

        /// nil where nobody waits.
        init?(_ signal: connectd_signal) {
            guard signal.number == ReloadSignal.number, signal.value == ReloadSignal.request, signal.sender > 0 else {
                return nil
            }
            process = signal.sender
        }

        func tell(_ answer: Answer) {
            _ = connectd_queue_signal(process, ReloadSignal.number, answer.rawValue)
        }
    }

    /// Asks, and asks again once in a while: the kernel drops a signal where the same one is pending.
    /// - Returns: nil where no answer came in time.
    /// - Throws: why the process cannot be asked (kill(2)).
    static func ask(_ process: pid_t, until deadline: MonotonicTime) throws(Errno) -> Answer? {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, number)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        while Clock.now() < deadline {
            guard connectd_queue_signal(process, number, request) == 0 else { throw .current }
            let patience = min(deadline, Clock.now().advanced(byMilliseconds: 2000))
            while case let rest = patience.since(Clock.now()), rest > 0 {
                var time = timespec(tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
                let signal = connectd_wait_for_signal(&set, &time)
                guard signal.sender == process, let answer = Answer(rawValue: signal.value) else { continue }
                return answer
            }
        }
        return nil
    }
}
