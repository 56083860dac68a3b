import CLinux
import Foundation
import Glibc
import NetworkTypes
import Synchronization

/// A name server that sends scripted responses over UDP and TCP, on a thread of its own.
final class ScriptedServer: Sendable {
    enum Reaction: Sendable {
        case silence
        case reply([UInt8])
        /// Responds later, and serves other queries in the meantime.
        case delayed(milliseconds: Int, [UInt8])
        /// Over TCP: responds, if there is a response, and closes the connection after the delay.
        case close([UInt8]?, milliseconds: Int = 0)
        /// Over TCP: responds in pieces of one byte.
        case dripped([UInt8])
    }

    typealias Script = @Sendable (DNSQuery) -> Reaction

    let endpoint: IPEndpoint
    private let log = Mutex<[DNSQuery]>([])
    private let isStopped = Atomic<Bool>(false)
    private let connectionCount = Atomic<Int>(0)

    /// Every query received, in order.
    var queries: [DNSQuery] { log.withLock { $0 } }

    /// The number of accepted TCP connections.
    var connections: Int { connectionCount.load(ordering: .relaxed) }

    init(_ address: String = "127.0.0.1", port: UInt16, script: @escaping Script) throws {
        endpoint = IPEndpoint(address, port)
        let datagram = try TestSocket.bound(connectd_sock_dgram, to: endpoint)
        let stream = try TestSocket.bound(connectd_sock_stream, to: endpoint)
        guard listen(stream, 64) == 0 else { throw TestSocket.Failure(call: "listen", number: Errno.current.rawValue) }
        let thread = Thread { [self] in serve(datagram, stream, script) }
        thread.start()
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
    }

    private struct Due {
        let time: Date
        let send: () -> Void
    }

    private func serve(_ datagram: Int32, _ stream: Int32, _ script: @escaping Script) {
        var due: [Due] = []
        while !isStopped.load(ordering: .relaxed) {
            var polled = [
                pollfd(fd: datagram, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stream, events: Int16(POLLIN), revents: 0),
            ]
            poll(&polled, 2, due.isEmpty ? 20 : 2)
            if polled[0].revents != 0 { receive(datagram, script, &due) }
            if polled[1].revents != 0 { accept(stream, script) }
            let now = Date()
            due.filter { $0.time <= now }.forEach { $0.send() }
            due.removeAll { $0.time <= now }
        }
        close(datagram)
        close(stream)
    }

    private func receive(_ datagram: Int32, _ script: Script, _ due: inout [Due]) {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var peer = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let count = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(datagram, &bytes, bytes.count, Int32(MSG_DONTWAIT), $0, &length)
            }
        }
        guard count > 0, let query = DNSQuery(Array(bytes[0..<count]), isTCP: false) else { return }
        log.withLock { $0.append(query) }
        let name = peer
        let send = { (reply: [UInt8]) in
            withUnsafePointer(to: name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(datagram, reply, reply.count, 0, $0, length)
                }
            }
        }
        switch script(query) {
        case .silence: break
        case .reply(let reply), .dripped(let reply), .close(let reply?, milliseconds: _): send(reply)
        case .close(nil, milliseconds: _): break
        case .delayed(let milliseconds, let reply):
            due.append(Due(time: Date() + Double(milliseconds) / 1000) { send(reply) })
        }
    }

    private func accept(_ stream: Int32, _ script: @escaping Script) {
        let peer = CLinux.accept(stream, nil, nil)
        guard peer >= 0 else { return }
        connectionCount.add(1, ordering: .relaxed)
        Thread { [self] in
            serve(peer, script)
            close(peer)
        }
        .start()
    }

    /// Serves all queries that the client sends on the connection, until one side closes it.
    private func serve(_ peer: Int32, _ script: Script) {
        while let length = read(peer, count: 2) {
            guard let bytes = read(peer, count: Int(length[0]) << 8 | Int(length[1])),
                let query = DNSQuery(bytes, isTCP: true)
            else { return }
            log.withLock { $0.append(query) }
            switch script(query) {
            case .silence: continue
            case .reply(let reply): send(reply, to: peer)
            case .delayed(let milliseconds, let reply):
                usleep(UInt32(milliseconds) * 1000)
                send(reply, to: peer)
            case .close(let reply, let milliseconds):
                if let reply { send(reply, to: peer) }
                usleep(UInt32(milliseconds) * 1000)
                return
            case .dripped(let reply):
                for byte in framed(reply) {
                    _ = CLinux.send(peer, [byte], 1, Int32(MSG_NOSIGNAL))
                    usleep(200)
                }
            }
        }
    }

    private func framed(_ reply: [UInt8]) -> [UInt8] { [UInt8(reply.count >> 8), UInt8(reply.count & 0xFF)] + reply }

    private func send(_ reply: [UInt8], to peer: Int32) {
        let message = framed(reply)
        _ = CLinux.send(peer, message, message.count, Int32(MSG_NOSIGNAL))
    }

    private func read(_ peer: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = recv(peer, &bytes, count, Int32(MSG_WAITALL))
        return received == count ? bytes : nil
    }
}

/// Starts one server for each script, on 127.0.0.2 and the addresses after it, all with the same port.
func withServers(
    _ scripts: [ScriptedServer.Script], body: ([ScriptedServer], UInt16) async throws -> Void
) async throws {
    var servers: [ScriptedServer] = []
    defer { servers.forEach { $0.stop() } }
    var port = try TestSocket.freePort()
    for tryNumber in 1...16 {
        do {
            for (index, script) in scripts.enumerated() {
                servers.append(try ScriptedServer("127.0.0.\(index + 2)", port: port, script: script))
            }
            break
        } catch  where tryNumber < 16 {
            // Another process took the port on one of the addresses: try again with another port.
            servers.forEach { $0.stop() }
            servers = []
            port = try TestSocket.freePort()
        }
    }
    try await body(servers, port)
}

/// The resolv.conf lines for the first `count` servers that `withServers` starts.
func nameServerLines(_ count: Int) -> String {
    (0..<count).map { "nameserver 127.0.0.\($0 + 2)\n" }.joined()
}
