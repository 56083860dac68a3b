import CLinux

/// The signals of a process that waits, and then becomes another program.
///
/// SIGINT and SIGTERM come through `Interrupts`. SIGHUP and SIGQUIT keep their usual effect, which is to end the process at
/// once. Only as PID 1, where the kernel drops signals of the usual effect, they need a handler; execve(2) takes it away.
struct WaitSignals {
    private var foundForPipe = sigaction()

    init() {
        sigaction(SIGPIPE, nil, &foundForPipe)
        // A peer that is gone is an errno of send(2), not the end of the process.
        connectd_ignore_sigpipe()
        guard getpid() == 1 else { return }
        for number in [SIGHUP, SIGQUIT] where connectd_is_ignored(number) == 0 { connectd_end_on(number) }
    }

    /// Everything as it was found: execve(2) would hand an ignored SIGPIPE on.
    mutating func restore() {
        sigaction(SIGPIPE, &foundForPipe, nil)
    }
}
