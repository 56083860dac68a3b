internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// A connection whose response has been sent, while its client may still be sending. If it were closed at once, the kernel
/// would answer those bytes with a reset, which can destroy the response before the client has read it.
struct LingeringClose {
    let watch: SlotToken
    var remainingBytes: Int
    /// Nanoseconds of CLOCK_MONOTONIC.
    let deadline: UInt64
}

extension HTTPDaemon {
    /// Takes ownership of a descriptor. Shuts down its writing half, and discards what comes until the client closes, the
    /// deadline passes, or too much has come.
    func linger(on number: Int32) {
        shutdown(number, Int32(SHUT_WR))
        let worker = worker
        let token =
            lingering.count < limits.lingering
            ? try? watch(number, for: .readable) { _ in worker.daemonOnThread?.discard(from: number) }
            : nil
        guard let token else { return _ = CLinux.close(number) }
        lingering[number] = LingeringClose(
            watch: token, remainingBytes: limits.discardedBytes, deadline: deadline(limits.discardMilliseconds))
        startSweeping()
    }

    private func discard(from number: Int32) {
        for _ in 0..<8 {
            let count = scratch.withUnsafeMutableBytes { recv(number, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT)) }
            if count < 0 {
                let error = Errno.current
                if error == Errno(EAGAIN) || error == Errno(EINTR) { return }
            }
            guard count > 0, let remaining = lingering[number]?.remainingBytes, remaining > count else {
                return endLingering(number)
            }
            lingering[number]?.remainingBytes = remaining - count
        }
    }

    func endLingering(_ number: Int32) {
        guard let close = lingering.removeValue(forKey: number) else { return }
        unwatch(close.watch, number)
        CLinux.close(number)
    }
}
