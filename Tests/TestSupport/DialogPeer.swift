internal import CLinux
internal import Foundation
public import NetworkTypes

/// The other end of a dialog: a blocking socket with its own thread.
public struct DialogPeer: Sendable {
    let descriptor: Int32

    /// Sends these bytes: on a stream as many as it takes, else one message.
    public func say(_ bytes: [UInt8]) {
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    public func say(_ text: String) {
        say(Array(text.utf8))
    }

    /// The next bytes, at most 64 KiB; empty at the end, on an error and after five seconds.
    public func hear() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(count, 0)))
    }

    /// Receives until these bytes have come, or the end.
    @discardableResult public func hear(until end: String) -> String {
        var received: [UInt8] = []
        while !received.ends(with: Array(end.utf8)) {
            let bytes = hear()
            if bytes.isEmpty { break }
            received += bytes
        }
        return String(decoding: received, as: UTF8.self)
    }

    /// Leaves time for what was said to arrive by itself.
    public func pause(milliseconds: Int = 20) {
        usleep(UInt32(milliseconds) * 1000)
    }

    /// Resets the connection instead of closing it.
    public func resetOnClose() {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }
}

extension Array<UInt8> {
    fileprivate func ends(with end: [UInt8]) -> Bool { suffix(end.count).elementsEqual(end) }
}

/// A peer on loopback, with the script that it runs for its first client.
public struct DialogServer: ~Copyable {
    private let kind: SocketType
    private let descriptor: Int32
    private let isOver = DispatchSemaphore(value: 0)

    public enum SocketType: Sendable { case stream, datagram }

    /// - Parameter script: runs on a thread; the socket is closed after it.
    public init(_ kind: SocketType, script: @escaping @Sendable (DialogPeer) -> Void) {
        self.kind = kind
        let type = kind == .stream ? connectd_sock_stream : connectd_sock_dgram
        descriptor = socket(AF_INET, type, 0)
        DialogServer.setPatience(descriptor)
        DialogServer.withName(port: 0) { _ = bind(descriptor, $0, $1) }
        if kind == .stream { listen(descriptor, 1) }
        Thread.detachNewThread { [descriptor, isOver] in
            let peer = kind == .stream ? Self.accept(descriptor) : Self.meet(descriptor)
            if peer >= 0 {
                script(DialogPeer(descriptor: peer))
                close(peer)
            }
            isOver.signal()
        }
    }

    deinit {
        isOver.wait()
        if kind == .stream { close(descriptor) }
    }

    public var endpoint: Endpoint { Self.endpoint(port: Self.port(of: descriptor)) }

    public static func endpoint(port: UInt16) -> Endpoint {
        .ip(IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: port))
    }

    /// A port where no datagram socket is: one that was just closed.
    public static func closedDatagramPort() -> UInt16 {
        let descriptor = socket(AF_INET, connectd_sock_dgram, 0)
        defer { close(descriptor) }
        withName(port: 0) { _ = bind(descriptor, $0, $1) }
        return port(of: descriptor)
    }

    private static func accept(_ descriptor: Int32) -> Int32 {
        let peer = CLinux.accept(descriptor, nil, nil)
        if peer >= 0 { setPatience(peer) }
        return peer
    }

    /// Associates the socket with the sender of the first datagram, which stays to be read.
    private static func meet(_ descriptor: Int32) -> Int32 {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let peeking = Int32(MSG_PEEK)
        let isMet = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, nil, 0, peeking, $0, &length) >= 0
                    && connect(descriptor, $0, length) == 0
            }
        }
        if !isMet { close(descriptor) }
        return isMet ? descriptor : -1
    }

    private static func setPatience(_ descriptor: Int32) {
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    private static func withName(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Void) {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        withUnsafePointer(to: name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func port(of descriptor: Int32) -> UInt16 {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &name) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: name.sin_port)
    }
}
