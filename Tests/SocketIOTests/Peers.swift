import CLinux
import Foundation
import NetworkTypes
import SocketIO
import Testing

/// An address of loopback with a port.
func loopback(_ family: AddressFamily = .ipv4, port: UInt16 = 0) -> IPEndpoint {
    let address: IPAddress =
        switch family {
        case .ipv4: .v4(IPv4Address(bits: 0x7F00_0001))
        case .ipv6: .v6(IPv6Address(bits: 1))
        }
    return IPEndpoint(address: address, port: port)
}

/// getsockname(2) of a socket that has a name.
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

    /// accept(2); waits for somebody to come.
    func accept() throws -> Descriptor {
        #expect(waits(for: POLLIN, on: socket.number))
        let number = CLinux.accept(socket.number, nil, nil)
        guard number >= 0 else { throw Errno.current }
        return Descriptor(adopting: number)
    }
}

/// A listener whose backlog of one is taken: the kernel drops further SYNs, as a dead host does.
struct FullListener: ~Copyable {
    let listener: Listener
    private let filler: Socket

    init() throws {
        let listener = try Listener(backlog: 0)
        let filler = try Socket(.tcp(.ipv4), nonBlocking: false)
        try BlockingConnect.connect(filler, to: .ip(listener.endpoint))
        // The kernel has put the filler into the backlog.
        #expect(waits(for: POLLIN, on: listener.socket.number))
        self.listener = listener
        self.filler = filler
    }

    var endpoint: Endpoint { .ip(listener.endpoint) }

    /// Accepts the one that fills the backlog: the SYN that is sent again next is answered.
    func makeRoom() throws {
        _ = try listener.accept()
    }
}

/// A directory of its own for each test, removed with everything in it.
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

/// A UNIX-domain socket that is bound to a name, and listens where its type does.
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

/// poll(2) until one of the events, an error or a hang-up is there; false after ten seconds.
func waits(for events: Int32, on number: Int32) -> Bool {
    var entry = pollfd(fd: number, events: Int16(events), revents: 0)
    var count = poll(&entry, 1, 10_000)
    while count < 0, Errno.current == Errno(EINTR) { count = poll(&entry, 1, 10_000) }
    return count == 1
}

/// connect(2) of any number, valid or not.
/// - Returns: the errno, nil where the call succeeded.
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

/// What the body throws; nil where it succeeds.
func errno(_ body: () throws(Errno) -> Void) -> Errno? {
    do throws(Errno) {
        try body()
        return nil
    } catch {
        return error
    }
}
