import CLinux
import Glibc
import NetworkTypes

/// Blocking sockets with the few operations that the tests' servers need.
enum TestSocket {
    struct Failure: Error {
        let call: String
        let number: Int32
    }

    /// Calls `body` with the endpoint as a C socket address.
    static func withName<Value>(
        _ endpoint: IPEndpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        switch endpoint.address {
        case .v4(let address):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = endpoint.port.bigEndian
            name.sin_addr.s_addr = address.bits.bigEndian
            return withUnsafeBytes(of: &name) { call(body, $0) }
        case .v6(let address):
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = endpoint.port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) {
                $0.storeBytes(of: address.bits.bigEndian, as: UInt128.self)
            }
            return withUnsafeBytes(of: &name) { call(body, $0) }
        }
    }

    private static func call<Value>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value, _ name: UnsafeRawBufferPointer
    ) -> Value {
        guard let start = name.assumingMemoryBound(to: sockaddr.self).baseAddress else {
            preconditionFailure("a socket address is never empty")
        }
        return body(start, socklen_t(name.count))
    }

    static func open(_ type: Int32, for endpoint: IPEndpoint) throws -> Int32 {
        let family = endpoint.address.family == .ipv4 ? AF_INET : AF_INET6
        let number = socket(family, type | connectd_sock_cloexec, 0)
        guard number >= 0 else { throw Failure(call: "socket", number: Errno.current.rawValue) }
        return number
    }

    static func bound(_ type: Int32, to endpoint: IPEndpoint) throws -> Int32 {
        let number = try open(type, for: endpoint)
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

    /// The local port of a bound IPv4 socket.
    static func port(of number: Int32) -> UInt16 {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
        }
        return UInt16(bigEndian: name.sin_port)
    }

    static func connectsOverTCP(to endpoint: IPEndpoint) -> Bool {
        guard let number = try? open(connectd_sock_stream, for: endpoint) else { return false }
        defer { close(number) }
        return withName(endpoint, { connect(number, $0, $1) }) == 0
    }

    /// A port of 127.0.0.1 that is currently free for UDP and TCP.
    static func freePort() throws -> UInt16 {
        for _ in 0..<64 {
            let stream = try bound(connectd_sock_stream, to: IPEndpoint("127.0.0.1", 0))
            defer { close(stream) }
            let port = port(of: stream)
            guard let datagram = try? bound(connectd_sock_dgram, to: IPEndpoint("127.0.0.1", port)) else { continue }
            close(datagram)
            return port
        }
        throw Failure(call: "bind", number: EADDRINUSE)
    }

    /// The number of sockets of this process that are connected to `peer`.
    static func countOpen(to peer: IPEndpoint) -> Int {
        (0..<4096).count { number in
            var name = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let result = withUnsafeMutablePointer(to: &name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getpeername(Int32(number), $0, &length)
                }
            }
            guard result == 0 else { return false }
            return withName(peer) { memcmp($0, &name, Int($1)) == 0 }
        }
    }
}

extension IPEndpoint {
    /// The endpoint of a literal that is known to be valid.
    init(_ address: String, _ port: UInt16) {
        guard let parsed = IPAddress(parsing: address) else { preconditionFailure("no address: \(address)") }
        self.init(address: parsed, port: port)
    }
}
