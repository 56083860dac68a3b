public import CheckModel
internal import CLinux

extension Socket {
    /// send(2), without SIGPIPE.
    /// - Returns: how many bytes the kernel took.
    /// - Throws: EAGAIN where the socket has no room; a pending error of the connection.
    public borrowing func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        let number = descriptor.rawValue
        let count = bytes.withUnsafeBytes { CLinux.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count >= 0 else { throw .current }
        return count
    }

    /// recv(2) of at most `capacity` bytes.
    /// - Returns: what came; empty at the end of a stream, and for an empty datagram.
    /// - Throws: EAGAIN where nothing is there; a pending error of the connection.
    public borrowing func receive(atMost capacity: Int) throws(Errno) -> [UInt8] {
        let number = descriptor.rawValue
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            let count = recv(number, buffer.baseAddress, capacity, 0)
            if count < 0 { failure = .current }
            filled = max(count, 0)
        }
        if let failure { throw failure }
        return bytes
    }
}
