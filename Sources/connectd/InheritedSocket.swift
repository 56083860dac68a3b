import CLinux
import CheckModel
import SocketIO

/// A descriptor that another process opened: what it is, and that it behaves as one of our own.
enum InheritedSocket {
    /// Makes it non-blocking and close-on-exec.
    /// - Returns: where it listens.
    static func prepare(_ descriptor: Int32, name: String) throws(SocketActivationError) -> ListenAddress {
        func fail(_ reason: String) -> SocketActivationError {
            SocketActivationError(descriptor: descriptor, name: name, reason: reason)
        }
        guard let type = option(SO_TYPE, of: descriptor) else { throw fail("is no socket") }
        guard type == connectd_sock_stream else { throw fail("is no stream socket") }
        guard option(SO_ACCEPTCONN, of: descriptor) == 1 else {
            throw fail("does not listen; a unit with Accept=yes hands over connections, which connectd does not take")
        }
        guard let address = SocketName.listenAddress(of: descriptor) else {
            throw fail("listens neither on an internet address nor on a path")
        }
        guard connectd_set_nonblocking(descriptor) == 0, connectd_set_close_on_exec(descriptor) == 0 else {
            throw fail("cannot be set up")
        }
        return address
    }

    /// getsockopt(2) of an int at SOL_SOCKET.
    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}

extension SocketName {
    /// getsockname(2) of a listening socket; nil for an abstract name, another family, or none.
    fileprivate static func listenAddress(of descriptor: Int32) -> ListenAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            // SAFETY: the kernel writes a socket address of at most `length` bytes.
            getsockname(descriptor, UnsafeMutableRawPointer($0).assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { return nil }
        if let endpoint = endpoint(from: storage) { return .ip(endpoint) }
        guard Int32(storage.ss_family) == AF_UNIX else { return nil }
        let path = withUnsafeBytes(of: storage) { bytes in
            Array(bytes.prefix(Int(length)).dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 })
        }
        return path.isEmpty ? nil : .unix(path: path)
    }
}
