import CLinux
import COpenSSL
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import TLS
import Testing

/// Peers that break off, talk nonsense, or talk for ever: each handshake ends at once, or at its deadline.
@Suite struct EvilPeerTests {
    let settings: TLSServer.Settings
    let client: Client

    init() throws {
        let trust = try Trust()
        settings = TLSServer.Settings(identity: trust.identity)
        client = trust.client
    }

    /// Shakes hands with a peer that reads the ClientHello first.
    private func handshake(
        milliseconds: Int = 5000, with behaviour: @escaping @Sendable (Int32, [UInt8]) -> Void
    ) async throws -> HandshakeResult {
        var client = client
        client.milliseconds = milliseconds
        return try await client.handshake(with: RawPeer { behaviour($0, RawPeer.read($0)) })
    }

    private static func record(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [type, 3, 3, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    // MARK: Silence and ends

    @Test func silenceEndsAtTheDeadline() async throws {
        let result = try await handshake(milliseconds: 100) { number, _ in RawPeer.drain(number) }
        #expect(result.ending == .deadline)
        #expect((80_000_000..<4_000_000_000).contains(result.report.handshakeNanoseconds))
        #expect(result.report.version == nil)
    }

    @Test func silenceBehindHalfAFlightEndsAtTheDeadline() async throws {
        let settings = settings
        let result = try await handshake(milliseconds: 100) { number, hello in
            guard let flight = try? settings.flight(behind: hello) else { return }
            RawPeer.write(Array(flight.prefix(200)), to: number)
            RawPeer.drain(number)
        }
        #expect(result.ending == .deadline)
        #expect(result.report.version == "TLSv1.3")
        #expect(result.report.chain.isEmpty)
    }

    @Test func aDripEndsAtTheDeadline() async throws {
        let settings = settings
        let result = try await handshake(milliseconds: 200) { number, hello in
            guard let flight = try? settings.flight(behind: hello) else { return }
            for byte in flight {
                guard RawPeer.write([byte], to: number) else { return }
                usleep(5000)
            }
        }
        #expect(result.ending == .deadline)
    }

    @Test func aFlightInPiecesOfOneByteIsAFlight() async throws {
        let settings = settings
        let result = try await handshake { number, hello in
            guard let flight = try? settings.flight(behind: hello) else { return }
            var on: Int32 = 1
            setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            for byte in flight { RawPeer.write([byte], to: number) }
            RawPeer.drain(number)
        }
        #expect(result.ending == .completed)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func anEndAnywhereWithinTheFlightIsAClose(version: Int32) async throws {
        var settings = settings
        settings.lowest = version
        settings.highest = version
        for count in [0, 1, 2, 4, 5, 6, 9, 50, 100, 126, 127, 128, 132, 133, 134, 200, 400, 500] {
            let result = try await handshake { [settings] number, hello in
                guard let flight = try? settings.flight(behind: hello) else { return }
                RawPeer.write(Array(flight.prefix(count)), to: number)
            }
            #expect(result.name == .closed, "\(count)")
        }
    }

    @Test func aResetAnywhereWithinTheFlightKeepsItsNumber() async throws {
        let settings = settings
        for count in [0, 1, 5, 50, 127, 133, 400, 500] {
            let result = try await handshake { number, hello in
                RawPeer.resetOnClose(number)
                guard let flight = try? settings.flight(behind: hello) else { return }
                RawPeer.write(Array(flight.prefix(count)), to: number)
            }
            #expect(result.ending == .broken(Errno(ECONNRESET)), "\(count)")
        }
    }

    @Test func anAlertInFrontOfAResetWins() async throws {
        let result = try await handshake { number, _ in
            RawPeer.write(Self.record(21, [2, 49]), to: number)
            RawPeer.resetOnClose(number)
        }
        #expect(result.name == .alert)
        #expect(result.report.alert == TLSAlertReport(alert: TLSAlert(code: 49), sender: .peer))
    }

    /// Our last flight meets a connection that is gone: the alert that came before is the answer all the same.
    @Test func anAlertBehindAFlightWinsOverWhatOurAnswerMeets() async throws {
        var settings = settings
        settings.highest = TLS1_2_VERSION
        settings.verify = SSL_VERIFY_PEER
        for _ in 0..<10 {
            let result = try await handshake { [settings] number, hello in
                RawPeer.resetOnClose(number)
                guard let flight = try? settings.flight(behind: hello) else { return }
                RawPeer.write(flight + Self.record(21, [2, 40]), to: number)
            }
            #expect(result.name == .clientCertificateRequired)
            #expect(result.report.isVerified)
        }
    }

    @Test func closeNotifyWithinTheHandshakeIsAClose() async throws {
        let result = try await handshake { number, _ in RawPeer.write(Self.record(21, [1, 0]), to: number) }
        #expect(result.name == .closed)
    }

    // MARK: Old and foreign choices

    private static func serverHello(version: UInt8, cipher: UInt16) -> [UInt8] {
        let body =
            [3, version] + [UInt8](repeating: 5, count: 32) + [0, UInt8(cipher >> 8), UInt8(cipher & 255), 0]
        return record(22, [2, 0, 0, UInt8(body.count)] + body)
    }

    @Test func aVersionThatWasNotOfferedIsTheVersionsFault() async throws {
        for version: UInt8 in [0, 1, 2] {
            let result = try await handshake { number, _ in
                RawPeer.write(Self.serverHello(version: version, cipher: 0xC02B), to: number)
                RawPeer.drain(number)
            }
            #expect(result.name == .version, "\(version)")
            #expect(result.report.alert == TLSAlertReport(alert: TLSAlert(code: 70), sender: .prober))
        }
    }

    @Test func aCipherThatWasNotOfferedIsNotShared() async throws {
        for cipher: UInt16 in [0x0005, 0x003B, 0xABCD] {
            let result = try await handshake { number, _ in
                RawPeer.write(Self.serverHello(version: 3, cipher: cipher), to: number)
                RawPeer.drain(number)
            }
            #expect(result.name == .noSharedCipher, "\(cipher)")
            #expect(result.report.alert?.sender == .prober)
        }
    }

    @Test(arguments: [
        ("protocol_version", TLSFailure.version), ("insufficient_security", .noSharedCipher),
        ("handshake_failure", .noSharedCipher), ("no_application_protocol", .alpn), ("unrecognized_name", .alert),
        ("internal_error", .alert), ("certificate_required", .clientCertificateRequired),
    ])
    func anAlertInAnswerToTheFirstFlightHasItsName(alert: String, name: TLSFailure) async throws {
        let alert = try #require(TLSAlert(name: alert))
        for version: UInt8 in [1, 3] {
            let result = try await handshake { number, _ in
                RawPeer.write([21, 3, version, 0, 2, 2, alert.code], to: number)
            }
            #expect(result.name == name)
            #expect(result.report.alert == TLSAlertReport(alert: alert, sender: .peer))
            #expect(result.failure?.alert == result.report.alert)
        }
    }

    // MARK: Something else than TLS

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail.example ESMTP\r\n", "SSH-2.0-x\r\n", "\u{16}x", "N",
    ])
    func whatIsNoTLSIsShown(text: String) async throws {
        let result = try await handshake { number, _ in RawPeer.write(Array(text.utf8), to: number) }
        #expect(result.name == .notTLS)
        #expect(result.failure?.received == Array(text.utf8))
    }

    @Test func aPeerThatSpeaksFirstIsShownToo() async throws {
        let peer = try RawPeer { number in
            RawPeer.write([UInt8](repeating: UInt8(ascii: "x"), count: 5000), to: number)
            RawPeer.drain(number)
        }
        let result = try await client.handshake(with: peer)
        #expect(result.name == .notTLS)
        #expect(result.failure?.received == [UInt8](repeating: UInt8(ascii: "x"), count: 1024))
    }

    @Test(arguments: [
        [22, 3, 3, 255, 255] + [UInt8](repeating: 0, count: 100),
        [22, 3, 3, 0, 4, 99, 0, 0, 0],
        // A ServerHello that would be 16 MiB long.
        [22, 3, 3, 0, 8, 2, 255, 255, 255, 3, 3, 0, 0],
        [23, 3, 3, 0, 3, 1, 2, 3],
        [20, 3, 3, 0, 1, 7],
        [22, 3, 3, 0, 0],
        [22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3],
    ])
    func nonsenseInTheShapeOfTLSIsABreach(bytes: [UInt8]) async throws {
        let result = try await handshake(milliseconds: 1000) { number, _ in
            for _ in 0..<40 { RawPeer.write(bytes, to: number) }
        }
        #expect(result.name == .protocolViolation)
        #expect(result.failure?.message != nil)
    }

    @Test func aFlightWithAnyByteChangedIsRefused() async throws {
        let settings = settings
        for position in stride(from: 11, to: 700, by: 23) {
            let result = try await handshake(milliseconds: 1000) { number, hello in
                guard var flight = try? settings.flight(behind: hello), position < flight.count else { return }
                flight[position] ^= 0x55
                RawPeer.write(flight, to: number)
            }
            #expect(result.name != nil, "\(position)")
            #expect(!result.report.isVerified || position > 500)
        }
    }

    // MARK: Floods

    static let helloRequests = record(22, [UInt8](repeating: 0, count: 16000))
    static let warnings = (0..<100).flatMap { _ in record(21, [1, 90]) }
    static let emptyRecords = (0..<100).flatMap { _ in record(22, []) }

    @Test(arguments: [helloRequests, warnings, emptyRecords])
    func aFloodEndsSoonAndLeavesTheThreadToOthers(bytes: [UInt8]) async throws {
        let peer = try RawPeer { number in
            _ = RawPeer.read(number)
            while RawPeer.write(bytes, to: number) {}
        }
        var (result, longest) = try await handshakeBesideOthers(with: peer)
        #expect(result.name == .protocolViolation)
        // Where the machine is busy anybody can be kept from running.
        for _ in 0..<5 where longest >= 50_000_000 { (result, longest) = try await handshakeBesideOthers(with: peer) }
        #expect(longest < 50_000_000)
        #expect(result.report.handshakeNanoseconds < 4_000_000_000)
    }

    /// - Returns: also by how much another task of the thread, which sleeps a millisecond at a time, overslept at most.
    private func handshakeBesideOthers(with peer: RawPeer) async throws -> (HandshakeResult, Int64) {
        let client = client
        return try await onReactor { reactor in
            let others = Task(executorPreference: reactor.thread) {
                var longest: Int64 = 0
                while !Task.isCancelled {
                    let wish = Clock.now().advanced(byMilliseconds: 1)
                    _ = await reactor.sleep(until: wish)
                    longest = max(longest, Clock.now().since(wish))
                }
                return longest
            }
            let result = try await client.connect(to: peer.endpoint, reactor) { _, _ in }.result
            others.cancel()
            return (result, await others.value)
        }
    }

    @Test func aFloodBehindTheHandshakeIsABreach() async throws {
        var settings = settings
        settings.lowest = TLS1_3_VERSION
        let server = try TLSServer(settings) { connection in
            for _ in 0..<20_000 {
                SSL_key_update(connection.ssl, SSL_KEY_UPDATE_NOT_REQUESTED)
                guard SSL_do_handshake(connection.ssl) == 1 else { return }
            }
        }
        let failure = try #require(try await client.breachWhileReceiving(from: server))
        #expect(failure.name == .protocolViolation)
    }

    // MARK: Cancellation

    @Test func aCancelledHandshakeEndsAtOnce() async throws {
        let peer = try RawPeer { RawPeer.drain($0) }
        let client = client
        let result = try await onReactor { reactor in
            let task = Task(executorPreference: reactor.thread) {
                try await client.connect(to: peer.endpoint, reactor) { _, _ in }.result
            }
            _ = await reactor.sleep(until: Clock.now().advanced(byMilliseconds: 50))
            task.cancel()
            return try await task.value
        }
        // Long before its deadline.
        #expect(result.ending == .cancelled)
        #expect(result.report.handshakeNanoseconds < 4_000_000_000)
    }
}
