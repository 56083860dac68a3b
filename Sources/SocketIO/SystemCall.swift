public import CLinux
public import NetworkTypes

/// The system calls of a connect. Arguments are passed to the kernel unchecked, so that a test can provoke each error.
public enum SystemCall {
    /// socket(2), close-on-exec.
    /// - Throws: EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES.
    public static func socket(
        domain: Int32, type: Int32, protocolNumber: Int32 = 0, nonBlocking: Bool = true
    ) throws(Errno) -> Descriptor {
        let flags = connectd_sock_cloexec | (nonBlocking ? connectd_sock_nonblock : 0)
        let number = CLinux.socket(domain, type | flags, protocolNumber)
        guard number >= 0 else { throw .current }
        return Descriptor(adopting: number)
    }

    /// connect(2).
    /// - Throws: every errno of the manual page, EINPROGRESS, EALREADY and EINTR among them.
    public static func connect(
        _ descriptor: Int32, to name: UnsafePointer<sockaddr>?, length: socklen_t
    ) throws(Errno) {
        guard CLinux.connect(descriptor, name, length) == 0 else { throw .current }
    }

    /// send(2), without SIGPIPE.
    /// - Returns: The number of bytes that the kernel accepted.
    /// - Throws: EAGAIN if a non-blocking socket has no room; EINTR; a pending error of the connection.
    public static func send(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) throws(Errno) -> Int {
        let count = bytes.withUnsafeBytes { CLinux.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count >= 0 else { throw .current }
        return count
    }

    /// recv(2) of at most `capacity` bytes.
    /// - Returns: The received bytes; empty at EOF and for an empty datagram.
    /// - Throws: EAGAIN if a non-blocking socket has no data; EINTR; a pending error of the connection.
    public static func receive(
        from descriptor: Int32, atMost capacity: Int, flags: Int32 = 0
    ) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            let count = recv(descriptor, buffer.baseAddress, capacity, flags)
            if count < 0 { failure = .current }
            filled = max(count, 0)
        }
        if let failure { throw failure }
        return bytes
    }

    /// SO_ERROR: returns and clears the pending error of the socket; nil if there is none.
    /// - Throws: EBADF, ENOTSOCK.
    public static func takePendingError(_ descriptor: Int32) throws(Errno) -> Errno? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &length) == 0 else { throw .current }
        return value == 0 ? nil : Errno(value)
    }

    /// setsockopt(2) of an int.
    public static func setOption(
        _ descriptor: Int32, level: Int32, name: Int32, value: Int32
    ) throws(Errno) {
        var value = value
        guard setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .current
        }
    }

    /// setsockopt(2) of a string, as SO_BINDTODEVICE takes.
    public static func setOption(
        _ descriptor: Int32, level: Int32, name: Int32, value: String
    ) throws(Errno) {
        var value = value
        let result = value.withUTF8 { setsockopt(descriptor, level, name, $0.baseAddress, socklen_t($0.count)) }
        guard result == 0 else { throw .current }
    }
}

/// The clocks of clock_gettime(2).
public enum Clock {
    /// CLOCK_MONOTONIC, for deadlines and durations.
    public static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// CLOCK_REALTIME, nanoseconds since 1970: only for `started_at`.
    public static func wallNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
