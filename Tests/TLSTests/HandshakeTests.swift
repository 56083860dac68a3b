import COpenSSL
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
@testable import TLS
import Testing

@Suite struct HandshakeTests {
    let authority: Identity
    let identity: Identity
    let client: Client

    init() throws {
        let trust = try Trust()
        (authority, identity, client) = (trust.authority, trust.identity, trust.client)
    }

    @Test(arguments: [
        (TLS1_2_VERSION, "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
        (TLS1_3_VERSION, "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ])
    func aGoodHandshakeIsCompletedAndReported(version: Int32, name: String, cipher: String) async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity, lowest: version, highest: version))
        let result = try await client.handshake(with: server)
        #expect(result.ending == .completed)
        let report = result.report
        #expect(report.version == name)
        #expect(report.cipher == cipher)
        #expect(report.group == "x25519")
        #expect(report.alpn == nil)
        #expect(report.serverName == "a.example")
        #expect(report.handshakeNanoseconds > 0)
        #expect(report.isVerified)
        #expect(report.verifyError == nil)
        #expect(report.chain.map(\.subject) == ["CN=a.example"])
        #expect(report.verifiedChain?.map(\.subject) == ["CN=a.example", "CN=authority"])
        #expect(!report.ocsp.isStapled)
        #expect(report.alert == nil)
    }

    @Test func theNameThatIsSentAndVerifiedIsTheRequestsBeforeTheTargets() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var other = client
        other.host = .name("b.example")
        #expect(try await other.handshake(with: server).name == .certificateNameMismatch)
        other.options.serverName = "A.example."
        let result = try await other.handshake(with: server)
        #expect(result.ending == .completed)
        #expect(result.report.serverName == "A.example")
    }

    @Test func anAddressIsVerifiedAndNotSent() async throws {
        let plan = Identity.Plan(alternativeNames: "IP:192.0.2.1,IP:2001:db8::1")
        let server = try TLSServer(TLSServer.Settings(identity: try Identity(plan, issuer: authority)))
        for (address, isRight) in [("192.0.2.1", true), ("2001:db8::1", true), ("192.0.2.2", false)] {
            var client = client
            client.host = .address(try #require(IPAddress(parsing: address)))
            let result = try await client.handshake(with: server)
            #expect(result.report.serverName == nil)
            #expect(result.name == (isRight ? nil : .certificateNameMismatch))
            client.host = .name("b.example")
            client.options.serverName = address
            #expect(try await client.handshake(with: server).name == result.name)
        }
    }

    @Test func aPeerWithoutANameHasNoneToVerify() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var client = client
        client.host = nil
        let result = try await client.handshake(with: server)
        #expect(result.ending == .completed)
        #expect(result.report.serverName == nil)
    }

    @Test func aNameThatWouldSwitchVerificationOffIsRefused() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        for name in ["", ".", "a.example\0.b.example"] {
            var client = client
            client.options.serverName = name
            await #expect(throws: TLSHandshakeFailure.self) {
                try await client.handshake(with: server)
            }
        }
    }

    @Test func theChosenProtocolIsReportedAndNoneIsAFailure() async throws {
        var client = client
        let h2 = try TLSServer(TLSServer.Settings(identity: identity, speaksH2Only: true))
        client.options.alpn = ["http/1.1", "h2"]
        #expect(try await client.handshake(with: h2).report.alpn == "h2")
        client.options.alpn = ["http/1.1"]
        let refused = try await client.handshake(with: h2)
        #expect(refused.name == .alpn)
        #expect(refused.report.alert == TLSAlertReport(alert: TLSAlert(code: 120), sender: .peer))
        let deaf = try TLSServer(TLSServer.Settings(identity: identity))
        let ignored = try await client.handshake(with: deaf)
        #expect(ignored.name == .alpn)
        #expect(ignored.report.isVerified)
    }

    /// OpenSSL refuses it, so that none of its bytes get into the report.
    @Test func aProtocolThatWasNotOfferedIsABreach() async throws {
        var client = client
        client.options.alpn = ["h2"]
        let server = try TLSServer(TLSServer.Settings(identity: identity, choosesForeignProtocol: true))
        let result = try await client.handshake(with: server)
        #expect(result.name == .protocolViolation)
        #expect(result.report.alpn == nil)
    }

    @Test func aCertificateThatExpiresTooSoonFailsWhateverIsVerified() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        for verify in [true, false] {
            var client = client
            client.options.verify = verify
            client.options.minimumDaysLeft = 89
            #expect(try await client.handshake(with: server).ending == .completed)
            client.options.minimumDaysLeft = 91
            let result = try await client.handshake(with: server)
            #expect(result.name == .certificateExpiresSoon)
            #expect(result.report.isVerified)
        }
    }

    @Test func aPeerThatHasToStapleAndDoesNotFails() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var client = client
        client.options.revocation = .ocspStapled
        #expect(try await client.handshake(with: server).name == .certificateInvalid)
    }

    @Test func contextsOfAReloadedMaterialAreNew() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        let other = try Identity(Identity.Plan(name: "other", alternativeNames: nil, isAuthority: true))
        let first = client.material
        let second = try Client(trusting: other).material
        let options = client.options
        let endings = try await onReactor { reactor in
            let contexts = TLSContexts(reactor: reactor)
            var names: [TLSFailure?] = []
            for material in [first, second, first] {
                let channel = try contexts.channel(for: options, host: .name("a.example"), material: material)
                let socket = try Socket(.tcp(.ipv4))
                let token = try reactor.addOnThread(socket.number, for: .anything)
                defer { reactor.removeOnThread(token) }
                let deadline = Clock.now().advanced(byMilliseconds: 5000)
                if try socket.connect(to: .ip(server.endpoint)) == .inProgress {
                    _ = await reactor.waitOnThread(token, for: .writable, until: deadline)
                }
                let ending = await channel.handshake(
                    on: SocketStream(on: socket.number, token: token, reactor: reactor, until: deadline))
                names.append(HandshakeResult(ending: ending, report: channel.report).name)
            }
            return names
        }
        #expect(endings == [nil, .certificateUnknownAuthority, nil])
    }
}
