import CLinux
import SocketIO

/// SIGINT and SIGTERM of a command that prints what it knows before it ends: signalfd(2).
///
/// A signal that was ignored at the start stays ignored: `nohup` and the background jobs of scripts ask for that.
struct Interrupts: ~Copyable {
    /// nil where both are ignored.
    private let descriptor: Descriptor?
    private var previousMask = sigset_t()
    private var set = sigset_t()

    /// Blocks the signals. Call it before any thread is started, because threads inherit the mask.
    init() {
        var set = sigset_t()
        sigemptyset(&set)
        let numbers = [SIGINT, SIGTERM].filter { connectd_is_ignored($0) == 0 }
        for number in numbers { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, &previousMask)
        let number = numbers.isEmpty ? -1 : signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        descriptor = number < 0 ? nil : Descriptor(adopting: number)
        self.set = set
        // Without a descriptor for them, the signals keep their usual effect.
        if number < 0 { pthread_sigmask(SIG_SETMASK, &previousMask, nil) }
    }

    /// To wait on; -1, which poll(2) passes over, where there is nothing to wait for.
    var rawDescriptor: Int32 {
        switch descriptor {
        case .some(let descriptor): descriptor.rawValue
        case .none: -1
        }
    }

    /// The signal that has come; nil where none has.
    func take() -> Int32? {
        var info = signalfd_siginfo()
        guard read(rawDescriptor, &info, MemoryLayout<signalfd_siginfo>.size) == MemoryLayout<signalfd_siginfo>.size
        else {
            return nil
        }
        return Int32(bitPattern: info.ssi_signo)
    }

    /// The mask as it was found: from here on a signal has its usual effect again.
    mutating func restore() {
        pthread_sigmask(SIG_SETMASK, &previousMask, nil)
    }

    /// Ends the process by a signal, after `restore`, so that a shell knows why. It returns in the first process of a container, which cannot
    /// end so.
    static func end(by number: Int32) {
        connectd_restore_default(number)
        raise(number)
    }
}
