import CLinux
import CheckModel
import Glibc

/// What the program prints: whole pieces at once, by write(2), so that lines of several threads never mix.
///
/// Standard output is the program's result. When it cannot be written, the program says so and ends. Standard error is not:
/// what is said there is worth nothing to those who do not read it.
enum Output {
    /// Set at the start, before anything else is opened: a closed descriptor would be given to a socket.
    private static let isStandardOutputOpen = connectd_is_open(STDOUT_FILENO) != 0

    /// Looks at the standard descriptors and opens /dev/null in the place of those that are closed.
    static func prepare() {
        _ = isStandardOutputOpen
        connectd_fill_standard_descriptors()
    }

    static func line(_ text: String) {
        bytes(Array(text.utf8) + [0x0A])
    }

    static func errorLine(_ text: String) {
        errorText(text + "\n")
    }

    static func errorText(_ text: String) {
        _ = write(Array(text.utf8), to: STDERR_FILENO)
    }

    static func bytes(_ bytes: [UInt8]) {
        guard isStandardOutputOpen else { end(Errno(EBADF)) }
        if let error = write(bytes, to: STDOUT_FILENO) { end(error) }
    }

    /// - Returns: why not all of it was written; nil where all was.
    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Errno? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
                continue
            }
            let error = count == 0 ? Errno(EIO) : Errno.current
            switch error.rawValue {
            case EINTR: continue
            case EAGAIN:
                // The parent process made the descriptor non-blocking.
                var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&watched, 1, -1)
            default: return error
            }
        }
        return nil
    }

    /// A reader that is gone, as in `| head -1`, has seen enough: the program ends as quietly as by SIGPIPE.
    private static func end(_ error: Errno) -> Never {
        if error.rawValue == EPIPE { endProcess(128 + SIGPIPE) }
        errorLine("connectd: cannot write to standard output: \(ErrnoCatalogue.message(of: error))")
        endProcess(ProgramArguments.usage.usageStatus)
    }
}

/// exit(3); a command has a method of the same name.
func endProcess(_ code: Int32) -> Never {
    exit(code)
}
