internal import CLinux
internal import CheckModel
internal import Synchronization

/// Where log lines go: takes them whole, and never holds up who logs.
///
/// A pipe that nobody reads is full after 64 KiB. write(2) would hold each thread that logs from then on, and with it every check
/// and the end of the service. Lines that find no room are left out, and counted.
package final class LogOutput: Sendable {
    private struct State {
        /// Of a line that had no room, or room in part.
        var rest: ArraySlice<UInt8> = []
        var missingCount = 0
    }

    /// What is ready for writing takes so much without waiting: PIPE_BUF, pipe(7).
    private static let chunk = 4096

    private let descriptor: Int32
    private let state = Mutex(State())

    /// - Parameter descriptor: stays the caller's; no longer written to once it fails.
    package init(_ descriptor: Int32 = STDERR_FILENO) {
        self.descriptor = descriptor
    }

    /// - Parameter note: the line that tells how many are missing; comes before the first that has room again.
    func write(_ line: [UInt8], note: (_ missingCount: Int) -> [UInt8]) {
        state.withLock { state in
            guard flush(&state.rest) else { return state.missingCount += 1 }
            if state.missingCount > 0 {
                state.rest = note(state.missingCount)[...]
                state.missingCount = 0
                guard flush(&state.rest) else { return state.missingCount += 1 }
            }
            state.rest = line[...]
            _ = flush(&state.rest)
        }
    }

    /// - Returns: whether nothing is left.
    private func flush(_ rest: inout ArraySlice<UInt8>) -> Bool {
        while !rest.isEmpty {
            guard hasRoom else { return false }
            let count = rest.prefix(Self.chunk).withUnsafeBytes { CLinux.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch Errno.current.rawValue {
            case EINTR: continue
            case EAGAIN: return false
            default: rest = []  // The reader has gone, or the disk is full: there is nobody to tell.
            }
        }
        return true
    }

    private var hasRoom: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, 0) > 0
    }
}
