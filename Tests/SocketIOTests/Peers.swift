import CLinux
import Foundation
import NetworkTypes
import SocketIO
import Testing

/// A loopback address with a port.
func loopback(_ family: AddressFamily = .ipv4, port: UInt16 = 0) -> IPEndpoint {
    let address: IPAddress =
        switch family {
        case .ipv4: .v4(IPv4Address(bits: 0x7F00_0001))
        case .ipv6: .v6(IPv6Address(bits: 1))
        }
    return IPEndpoint(address: address, port: port)
}

/// getsockname(2); nil for a socket without a name.
func localName(of socket: borrowing Socket) throws -> IPEndpoint {
    let name = socket.localName()
    return try #require(name)
}

/// A TCP socket that listens on loopback.
struct Listener: ~Copyable {
    let socket: Socket
    let endpoint: IPEndpoint

    init(_ family: AddressFamily = .ipv4, backlog: Int32 = 16) throws {
        let socket = try Socket(.tcp(family))
        try socket.bind(to: loopback(family))
        guard listen(socket.number, backlog) == 0 else { throw Errno.current }
        endpoint = try localName(of: socket)
        self.socket = socket
    }

    /// accept(2); blocks until a client connects.
    func accept() throws -> Descriptor {
        #expect(waits(for: POLLIN, on: socket.number))
        let number = CLinux.accept(socket.number, nil, nil)
        guard number >= 0 else { throw Errno.current }
        return Descriptor(adopting: number)
    }
}

/// A listener whose backlog of one is full. The kernel drops further SYNs, as an unreachable host would.
struct FullListener: ~Copyable {
    let listener: Listener
    private let filler: Socket

    init() throws {
        let listener = try Listener(backlog: 0)
        let filler = try Socket(.tcp(.ipv4), nonBlocking: false)
        try BlockingConnect.connect(filler, to: .ip(listener.endpoint))
        // The filler connection is in the backlog.
        #expect(waits(for: POLLIN, on: listener.socket.number))
        self.listener = listener
        self.filler = filler
    }

    var endpoint: Endpoint { .ip(listener.endpoint) }

    /// Accepts the filler connection, so that the next retransmitted SYN is answered.
    func makeRoom() throws {
        _ = try listener.accept()
    }
}

/// A temporary directory for one test, removed with its contents.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/connectd-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno.current }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func address(_ name: String) -> UnixAddress { .path(Array(file(name).utf8)) }

    func link(_ name: String, to target: String) throws {
        guard symlink(target, file(name)) == 0 else { throw Errno.current }
    }
}

/// A bound UNIX-domain socket. It listens if its type supports that.
struct UnixPeer: ~Copyable {
    let socket: Socket
    let address: UnixAddress

    init(_ type: UnixSocketType, at address: UnixAddress, backlog: Int32 = 16) throws {
        let socket = try Socket(.unix(type))
        let number = socket.number
        try SocketName.withName(of: address) { (name, length) throws(Errno) in
            guard bind(number, name, length) == 0 else { throw .current }
        }
        guard type == .dgram || listen(number, backlog) == 0 else { throw Errno.current }
        self.socket = socket
        self.address = address
    }

    func accept() throws -> Descriptor {
        #expect(waits(for: POLLIN, on: socket.number))
        let number = CLinux.accept(socket.number, nil, nil)
        guard number >= 0 else { throw Errno.current }
        return Descriptor(adopting: number)
    }
}

/// poll(2) until one of the events, an error or a hang-up occurs; false after ten seconds.
func waits(for events: Int32, on number: Int32) -> Bool {
    var entry = pollfd(fd: number, events: Int16(events), revents: 0)
    var count = poll(&entry, 1, 10_000)
    while count < 0, Errno.current == Errno(EINTR) { count = poll(&entry, 1, 10_000) }
    return count == 1
}

/// connect(2) with any descriptor number, valid or not.
/// - Returns: the errno; nil if the call succeeded.
func errnoOfConnect(_ number: Int32, to endpoint: IPEndpoint) -> Errno? {
    errno { () throws(Errno) in
        try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
            try SystemCall.connect(number, to: name, length: length)
        }
    }
}

func errnoOfConnect(_ number: Int32, to address: UnixAddress) -> Errno? {
    errno { () throws(Errno) in
        try SocketName.withName(of: address) { (name, length) throws(Errno) in
            try SystemCall.connect(number, to: name, length: length)
        }
    }
}

/// The error that the body throws; nil if it succeeds.
func errno(_ body: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) {
        try body()
        return nil
    } catch {
        return error
    }
}
