import CLinux
import Foundation
import NetworkTypes
import SocketIO

/// A listener on loopback whose thread does with each connection what the test says, and closes it.
final class RawPeer: LoopbackPeer {
    let endpoint: IPEndpoint
    private let listener: Descriptor

    init(_ behaviour: @escaping @Sendable (Int32) -> Void) throws {
        let socket = try Socket(.tcp(.ipv4), nonBlocking: false)
        try socket.bind(to: IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0))
        guard listen(socket.number, 64) == 0, let name = socket.localName() else { throw Errno.current }
        endpoint = name
        // The thread has a descriptor of its own, so that it never meets a number that was given to somebody else.
        let own = dup(socket.number)
        let other = dup(socket.number)
        guard own >= 0, other >= 0 else { throw Errno.current }
        listener = Descriptor(adopting: own)
        Thread.detachNewThread { Self.serve(Descriptor(adopting: other), behaviour) }
    }

    deinit {
        // Ends the accept(2) of the thread.
        shutdown(listener.rawValue, Int32(SHUT_RDWR))
    }

    private static func serve(_ listener: consuming Descriptor, _ behaviour: (Int32) -> Void) {
        signal(SIGPIPE, SIG_IGN)
        while true {
            let number = accept(listener.rawValue, nil, nil)
            guard number >= 0 else { return }
            let connection = Descriptor(adopting: number)
            // No test leaves a thread behind.
            var limit = timeval(tv_sec: 5, tv_usec: 0)
            setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            behaviour(connection.rawValue)
        }
    }

    /// recv(2) of what is there; empty at the end.
    static func read(_ number: Int32, atMost capacity: Int = 65536) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
            filled = max(0, recv(number, buffer.baseAddress, capacity, 0))
        }
    }

    /// - Returns: false once the other side takes no more.
    @discardableResult
    static func write(_ bytes: [UInt8], to number: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Reads until the other side closes.
    static func drain(_ number: Int32) {
        while !read(number).isEmpty {}
    }

    /// close(2) is to reset.
    static func resetOnClose(_ number: Int32) {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }
}
