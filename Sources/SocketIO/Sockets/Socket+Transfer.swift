public import CheckModel

extension Socket {
    /// send(2), without SIGPIPE.
    /// - Returns: how many bytes the kernel took.
    /// - Throws: EAGAIN where the socket has no room; a pending error of the connection.
    public borrowing func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        try SystemCall.send(bytes, to: descriptor.rawValue)
    }

    /// recv(2) of at most `capacity` bytes.
    /// - Returns: what came; empty at the end of a stream, and for an empty datagram.
    /// - Throws: EAGAIN where nothing is there; a pending error of the connection.
    public borrowing func receive(atMost capacity: Int) throws(Errno) -> [UInt8] {
        try SystemCall.receive(from: descriptor.rawValue, atMost: capacity)
    }
}
