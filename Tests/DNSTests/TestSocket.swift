import CLinux
import CheckModel

/// Blocking IPv4 sockets, as little as the tests' own servers need.
enum TestSocket {
    struct Failure: Error {
        let call: String
        let number: Int32
    }

    static func address(_ endpoint: IPEndpoint) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = endpoint.port.bigEndian
        if case .v4(let address) = endpoint.address { name.sin_addr.s_addr = address.bits.bigEndian }
        return name
    }

    static func withName<Value>(
        _ endpoint: IPEndpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        var name = address(endpoint)
        return withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    static func open(_ type: Int32) throws -> Int32 {
        let number = socket(AF_INET, type | connectd_sock_cloexec, 0)
        guard number >= 0 else { throw Failure(call: "socket", number: Errno.current.rawValue) }
        return number
    }

    static func bound(_ type: Int32, to endpoint: IPEndpoint) throws -> Int32 {
        let number = try open(type)
        var one: Int32 = 1
        if type == connectd_sock_stream {
            setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        guard withName(endpoint, { bind(number, $0, $1) }) == 0 else {
            let error = Errno.current
            close(number)
            throw Failure(call: "bind", number: error.rawValue)
        }
        return number
    }

    static func port(of number: Int32) -> UInt16 {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
        }
        return UInt16(bigEndian: name.sin_port)
    }

    static func connectsOverTCP(to endpoint: IPEndpoint) -> Bool {
        guard let number = try? open(connectd_sock_stream) else { return false }
        defer { close(number) }
        return withName(endpoint, { connect(number, $0, $1) }) == 0
    }

    /// A port of 127.0.0.1 that nobody uses just now, over UDP and TCP.
    static func freePort() throws -> UInt16 {
        let loopback = IPAddress.v4(IPv4Address(bits: 0x7F00_0001))
        for _ in 0..<64 {
            let stream = try bound(connectd_sock_stream, to: IPEndpoint(address: loopback, port: 0))
            defer { close(stream) }
            let port = port(of: stream)
            guard let datagram = try? bound(connectd_sock_dgram, to: IPEndpoint(address: loopback, port: port))
            else { continue }
            close(datagram)
            return port
        }
        throw Failure(call: "bind", number: EADDRINUSE)
    }
}
