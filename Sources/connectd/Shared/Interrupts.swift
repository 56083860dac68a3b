import CLinux
import SocketIO

/// Catches SIGINT and SIGTERM, and SIGQUIT on request, so that a command can print its results before it exits: signalfd(2).
///
/// A signal that was ignored at the start stays ignored, as `nohup` and background jobs of scripts require.
struct Interrupts: ~Copyable {
    /// nil if all of them are ignored.
    private let descriptor: Descriptor?
    private var previousMask = sigset_t()
    private var set = sigset_t()

    /// Blocks the signals. Call it before any thread is started, because threads inherit the mask.
    /// - Parameter includingQuit: Whether to catch SIGQUIT (Ctrl-\) as well.
    init(includingQuit: Bool = false) {
        var set = sigset_t()
        sigemptyset(&set)
        let caught = includingQuit ? [SIGINT, SIGTERM, SIGQUIT] : [SIGINT, SIGTERM]
        let numbers = caught.filter { connectd_is_ignored($0) == 0 }
        for number in numbers { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, &previousMask)
        let number = numbers.isEmpty ? -1 : signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        descriptor = number < 0 ? nil : Descriptor(adopting: number)
        self.set = set
        // Without a descriptor, the signals keep their default action.
        if number < 0 { pthread_sigmask(SIG_SETMASK, &previousMask, nil) }
    }

    /// The descriptor for poll(2); -1, which poll(2) ignores, if there is none.
    var rawDescriptor: Int32 {
        switch descriptor {
        case .some(let descriptor): descriptor.rawValue
        case .none: -1
        }
    }

    /// The pending signal; nil if there is none.
    func take() -> Int32? {
        var info = signalfd_siginfo()
        guard read(rawDescriptor, &info, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size
        else {
            return nil
        }
        return Int32(bitPattern: info.ssi_signo)
    }

    /// Restores the signal mask: from here on a signal has its default action again.
    mutating func restore() {
        pthread_sigmask(SIG_SETMASK, &previousMask, nil)
    }

    /// Ends the process by a signal, after `restore`, so that a shell sees the reason. It returns in PID 1 of a container,
    /// which a signal with its default action cannot end.
    static func end(by number: Int32) {
        connectd_restore_default(number)
        raise(number)
    }
}
