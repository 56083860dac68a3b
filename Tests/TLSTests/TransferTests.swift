import CLinux
import COpenSSL
import ErrorCatalogue
import Foundation
import NetworkTypes
import SocketIO
import Synchronization
@testable import TLS
import Testing

/// Plaintext, once the handshake is done.
@Suite struct TransferTests {
    let authority: Identity
    let identity: Identity
    let client: Client

    init() throws {
        let trust = try Trust()
        (authority, identity, client) = (trust.authority, trust.identity, trust.client)
    }

    private func settings(_ version: Int32) -> TLSServer.Settings {
        TLSServer.Settings(identity: identity, lowest: version, highest: version)
    }

    private static func write(_ text: String, to ssl: OpaquePointer) {
        SSL_write(ssl, text, Int32(text.utf8.count))
    }

    /// Also where it comes with the server's verdict about our certificate, which is waited for.
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION], [SSL_VERIFY_NONE, SSL_VERIFY_PEER])
    func whatComesRightBehindTheHandshakeIsNotLost(version: Int32, verify: Int32) async throws {
        var settings = settings(version)
        settings.verify = verify
        settings.sendsTickets = false
        let server = try TLSServer(settings) { Self.write("220 ready\r\n", to: $0.ssl) }
        let (_, text) = try await client.handshake(with: server) { connection, socket in
            String(decoding: try await connection.receive(), as: UTF8.self)
        }
        #expect(text == "220 ready\r\n")
        #expect(try await client.handshakeWithoutWait(with: server).wasSoon)
    }

    @Test func largeTransfersGoBothWaysAtOnce() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
        let server = try TLSServer(settings(TLS1_3_VERSION)) { connection in
            // An echo that reads slowly enough for the client to find its socket full.
            var buffer = [UInt8](repeating: 0, count: 16384)
            var left = 3_000_000
            while left > 0 {
                let count = SSL_read(connection.ssl, &buffer, 16384)
                guard count > 0, SSL_write(connection.ssl, buffer, count) == count else { return }
                left -= Int(count)
            }
        }
        let (_, isSame) = try await client.handshake(with: server) { connection, socket in
            var echo: [UInt8] = []
            var rest = bytes[...]
            while !rest.isEmpty || echo.count < bytes.count {
                var isStuck = true
                if !rest.isEmpty, let count = try connection.sendOnce(rest) {
                    rest = rest.dropFirst(count)
                    isStuck = false
                }
                if let more = try connection.receiveOnce() {
                    if more.isEmpty { break }
                    echo += more
                    isStuck = false
                }
                guard isStuck else { continue }
                try await connection.stream.wait(
                    for: rest.isEmpty ? .readable : .anything, until: connection.stream.deadline)
            }
            return echo == bytes
        }
        #expect(isSame == true)
    }

    @Test func nothingCountsAsSentBeforeItHasLeft() async throws {
        let server = try TLSServer(settings(TLS1_3_VERSION)) { connection in
            // Reads nothing for a while, so that what is said last has to wait for room.
            usleep(150_000)
            var all: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 16384)
            while all.last != UInt8(ascii: "!") {
                let count = SSL_read(connection.ssl, &buffer, 16384)
                guard count > 0 else { return }
                all += buffer.prefix(Int(count))
            }
            Self.write("\(all.count)", to: connection.ssl)
        }
        let (_, answer) = try await client.handshake(with: server) { connection, socket in
            try await connection.send([UInt8](repeating: 0, count: 8_000_000) + [UInt8(ascii: "!")])
            return String(decoding: try await connection.receive(), as: UTF8.self)
        }
        #expect(answer == "8000001")
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func aGoodbyeIsSaid(version: Int32) async throws {
        let isHeard = Flag()
        let server = try TLSServer(settings(version)) { connection in
            var byte: UInt8 = 0
            let count = SSL_read(connection.ssl, &byte, 1)
            if SSL_get_error(connection.ssl, count) == SSL_ERROR_ZERO_RETURN { isHeard.raise() }
        }
        _ = try await client.handshake(with: server) { connection, socket in
            connection.channel.sendCloseNotify(on: connection.stream)
            // Once is enough.
            connection.channel.sendCloseNotify(on: connection.stream)
        }
        for _ in 0..<500 where !isHeard.isRaised { try await Task.sleep(for: .milliseconds(10)) }
        #expect(isHeard.isRaised)
    }

    /// What came and was not read would make a reset of the close.
    @Test func whatHasComeIsTakenBeforeTheEnd() async throws {
        let isHeard = Flag()
        let server = try TLSServer(settings(TLS1_3_VERSION)) { connection in
            Self.write(String(repeating: "unread ", count: 1000), to: connection.ssl)
            var byte: UInt8 = 0
            let count = SSL_read(connection.ssl, &byte, 1)
            guard SSL_get_error(connection.ssl, count) == SSL_ERROR_ZERO_RETURN else { return }
            // Behind close_notify comes the end, not a reset.
            if recv(connection.number, &byte, 1, 0) == 0 { isHeard.raise() }
        }
        _ = try await client.handshake(with: server) { connection, socket in
            _ = await connection.stream.reactor.sleep(until: Clock.now().advanced(byMilliseconds: 100))
            connection.channel.sendCloseNotify(on: connection.stream)
        }
        for _ in 0..<200 where !isHeard.isRaised { try await Task.sleep(for: .milliseconds(10)) }
        #expect(isHeard.isRaised)
    }

    /// With plaintext between them, so that they are no silence.
    @Test func keyUpdatesWhoseAnswersNobodyReadsAreAFlood() async throws {
        let server = try TLSServer(settings(TLS1_3_VERSION)) { connection in
            for _ in 0..<2_000_000 {
                SSL_key_update(connection.ssl, SSL_KEY_UPDATE_REQUESTED)
                guard SSL_write(connection.ssl, "x", 1) == 1 else { return }
            }
        }
        let failure = try #require(try await client.breachWhileReceiving(from: server))
        #expect(failure.name == .protocolViolation)
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isRaised: Bool { value.load(ordering: .acquiring) }
        func raise() { value.store(true, ordering: .releasing) }
    }

    @Test func anEndWithoutAGoodbyeIsAnEnd() async throws {
        let server = try TLSServer(settings(TLS1_3_VERSION)) { connection in
            Self.write("last words", to: connection.ssl)
            shutdown(connection.number, Int32(SHUT_WR))
        }
        let (_, text) = try await client.handshake(with: server) { connection, socket in
            String(decoding: try await connection.receive(), as: UTF8.self)
        }
        #expect(text == "last words")
    }

    @Test func aResetKeepsItsNumber() async throws {
        let server = try TLSServer(settings(TLS1_3_VERSION)) { connection in
            RawPeer.resetOnClose(connection.number)
            var null = sockaddr()
            null.sa_family = sa_family_t(AF_UNSPEC)
            // Dissolving a TCP connection resets it at once.
            connect(connection.number, &null, socklen_t(MemoryLayout<sockaddr>.size))
        }
        let error = try await client.errorWhileReceiving(from: server)
        #expect(error == .kernel(Errno(ECONNRESET)))
    }

    @Test func garbageBehindTheHandshakeIsABreach() async throws {
        let server = try TLSServer(settings(TLS1_3_VERSION)) { connection in
            RawPeer.write([23, 3, 3, 0, 32] + [UInt8](repeating: 7, count: 32), to: connection.number)
        }
        let failure = try #require(try await client.breachWhileReceiving(from: server))
        #expect(failure.name == .protocolViolation)
        #expect(failure.alert == TLSAlertReport(alert: TLSAlert(code: 20), sender: .prober))
    }

    @Test func theFirstFlightCanLeaveInAnotherWay() async throws {
        let server = try TLSServer(settings(TLS1_3_VERSION))
        let options = client.options
        let material = client.material
        let ending = try await onReactor { reactor in
            let deadline = Clock.now().advanced(byMilliseconds: 5000)
            let socket = try Socket(.tcp(.ipv4))
            let token = try reactor.addOnThread(socket.number, for: .anything)
            defer { reactor.removeOnThread(token) }
            if try socket.connect(to: .ip(server.endpoint)) == .inProgress {
                _ = await reactor.waitOnThread(token, for: .writable, until: deadline)
            }
            let channel = try TLSContexts(reactor: reactor)
                .channel(for: options, host: .name("a.example"), material: material)
            let flight = channel.firstFlight()
            #expect(flight.starts(with: [22, 3, 1]))
            #expect(channel.firstFlight() == flight)
            channel.noteSent(try socket.send(flight.prefix(100)))
            return await channel.handshake(
                on: SocketStream(on: socket.number, token: token, reactor: reactor, until: deadline))
        }
        #expect(ending == .completed)
    }
}
