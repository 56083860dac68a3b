import COpenSSL
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
@testable import TLS
import Testing

/// Versions and ciphers that both sides have, or not.
@Suite struct VersionAndCipherTests {
    let authority: Identity
    let identity: Identity
    let client: Client

    init() throws {
        let trust = try Trust()
        (authority, identity, client) = (trust.authority, trust.identity, trust.client)
    }

    /// For suites that want one.
    private func withRSA() throws -> Identity {
        try Identity(Identity.Plan(key: .rsa2048), issuer: authority)
    }

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func oldVersionsHaveToBeAskedFor(version: Int32) async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity, lowest: version, highest: version))
        let refused = try await client.handshake(with: server)
        #expect(refused.name == .version)
        #expect(refused.report.chain.isEmpty)
        var client = client
        client.options.minimumVersion = version == TLS1_VERSION ? .tls10 : .tls11
        let result = try await client.handshake(with: server)
        #expect(result.ending == .completed)
        #expect(result.report.version == (version == TLS1_VERSION ? "TLSv1" : "TLSv1.1"))
        #expect(result.report.isVerified)
        client.options.minimumVersion = nil
        client.options.maximumVersion = version == TLS1_VERSION ? .tls10 : .tls11
        #expect(try await client.handshake(with: server).ending == .completed)
    }

    @Test func aServerThatIsTooNewIsTold() async throws {
        let settings = TLSServer.Settings(identity: identity, lowest: TLS1_3_VERSION, highest: TLS1_3_VERSION)
        let server = try TLSServer(settings)
        var client = client
        client.options.maximumVersion = .tls12
        let result = try await client.handshake(with: server)
        #expect(result.name == .version)
        #expect(result.report.alert == TLSAlertReport(alert: TLSAlert(code: 70), sender: .peer))
        #expect(result.report.version == nil)
    }

    @Test func bothEndsOfTheVersionsAreKept() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var client = client
        client.options.maximumVersion = .tls12
        #expect(try await client.handshake(with: server).report.version == "TLSv1.2")
        client.options.maximumVersion = nil
        client.options.minimumVersion = .tls13
        #expect(try await client.handshake(with: server).report.version == "TLSv1.3")
    }

    @Test func ciphersAreNamedForBothKindsOfVersions() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: withRSA()))
        var client = client
        client.options.ciphers = "TLS_AES_128_GCM_SHA256:AES128-SHA"
        #expect(try await client.handshake(with: server).report.cipher == "TLS_AES_128_GCM_SHA256")
        client.options.maximumVersion = .tls12
        let result = try await client.handshake(with: server)
        #expect(result.report.cipher == "AES128-SHA")
        #expect(result.report.group == nil)
    }

    @Test func noCommonCipherIsNamed() async throws {
        let settings = try TLSServer.Settings(identity: withRSA(), highest: TLS1_2_VERSION, ciphers: "AES256-SHA")
        let server = try TLSServer(settings)
        var client = client
        client.options.ciphers = "ECDHE-RSA-AES128-GCM-SHA256"
        let result = try await client.handshake(with: server)
        #expect(result.name == .noSharedCipher)
        #expect(result.report.alert == TLSAlertReport(alert: TLSAlert(code: 40), sender: .peer))
    }

    @Test func aFirstFlightThatCannotBeTellsWhy() async throws {
        var options = client.options
        options.maximumVersion = .tls12
        options.ciphers = "NULL-SHA256"
        let (asked, material) = (options, client.material)
        let ending = try await onReactor { reactor in
            let socket = try Socket(.tcp(.ipv4))
            let token = try reactor.addOnThread(socket.number, for: .anything)
            defer { reactor.removeOnThread(token) }
            let channel = try TLSContexts(reactor: reactor).channel(for: asked, host: nil, material: material)
            #expect(channel.firstFlight().isEmpty)
            return await channel.handshake(
                on: SocketStream(on: socket.number, token: token, reactor: reactor, until: .distantFuture))
        }
        guard case .failed(let failure) = ending else {
            Issue.record("\(ending)")
            return
        }
        #expect(failure.name == .noSharedCipher)
    }

    @Test func ciphersThatTheLevelForbidsAreNoneAtAll() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var client = client
        client.options.maximumVersion = .tls12
        client.options.ciphers = "NULL-SHA256"
        #expect(try await client.handshake(with: server).name == .noSharedCipher)
    }

    @Test(arguments: [("P-384", "secp384r1"), ("X448", "x448"), ("P-256", "secp256r1"), ("ffdhe2048", "ffdhe2048")])
    func theGroupHasItsRegisteredName(group: String, name: String) async throws {
        var settings = TLSServer.Settings(identity: identity)
        settings.groups = group
        // The first key share is another group's: the server asks for a second ClientHello.
        #expect(try await client.handshake(with: TLSServer(settings)).report.group == name)
        guard group != "ffdhe2048" else { return }
        settings.highest = TLS1_2_VERSION
        #expect(try await client.handshake(with: TLSServer(settings)).report.group == name)
    }

    @Test func aSmallFiniteGroupIsRefused() async throws {
        var settings = try TLSServer.Settings(
            identity: withRSA(), highest: TLS1_2_VERSION, ciphers: "DHE-RSA-AES256-GCM-SHA384")
        settings.finiteGroup = "modp_1536"
        let server = try TLSServer(settings)
        let refused = try await client.handshake(with: server)
        #expect(refused.name == .noSharedCipher)
        #expect(refused.failure?.message == "dh key too small")
        #expect(refused.report.alert?.sender == .prober)
        var client = client
        client.options.verify = false
        let seen = try await client.handshake(with: server)
        #expect(seen.ending == .completed)
        #expect(seen.report.group == "modp_1536")
        settings.finiteGroup = "ffdhe2048"
        #expect(try await self.client.handshake(with: TLSServer(settings)).report.group == "ffdhe2048")
    }

    @Test func withoutACertificateNothingIsVerified() async throws {
        let settings = TLSServer.Settings(
            identity: identity, highest: TLS1_2_VERSION, ciphers: "AECDH-AES128-SHA:@SECLEVEL=0")
        let server = try TLSServer(settings)
        var client = client
        client.options.ciphers = "AECDH-AES128-SHA:@SECLEVEL=0"
        let refused = try await client.handshake(with: server)
        #expect(refused.name == .certificateInvalid)
        client.options.verify = false
        let result = try await client.handshake(with: server)
        #expect(result.ending == .completed)
        #expect(!result.report.isVerified)
        #expect(result.report.cipher == "AECDH-AES128-SHA")
    }

    @Test func aLevelThatIsAskedForHoldsForCertificatesToo() async throws {
        let weak = try Identity(Identity.Plan(key: .rsa1024), issuer: authority)
        let server = try TLSServer(TLSServer.Settings(identity: weak))
        var client = client
        client.options.ciphers = "DEFAULT:@SECLEVEL=1"
        #expect(try await client.handshake(with: server).ending == .completed)
        client.options.ciphers = "DEFAULT:@SECLEVEL=2"
        #expect(try await client.handshake(with: server).name == .certificateWeak)
    }

    @Test func whatOpenSSLTakesIsNoFlaw() {
        for ciphers in [
            "DEFAULT", "HIGH:!aNULL", "ECDHE-RSA-AES128-GCM-SHA256", "TLS_AES_128_GCM_SHA256", "ECDHE+AESGCM",
            "TLS_CHACHA20_POLY1305_SHA256:AES128-SHA", "DEFAULT@SECLEVEL=1", "NULL-SHA256:@SECLEVEL=0",
        ] {
            #expect(TLSContexts.flaw(inCiphers: ciphers) == nil)
        }
    }

    @Test func whatOpenSSLDoesNotTakeIsAFlaw() {
        for ciphers in [
            "", ":", "nonsense", "TLS_AES_512", "DEFAULT AES128-SHA", "DEFAULT\0", "DEFAULT,AES128-SHA", "ä",
            "DEFAULT:@SECLEVEL=9", "DEFAULT:@nonsense", String(repeating: "A", count: 4000),
        ] {
            #expect(TLSContexts.flaw(inCiphers: ciphers) != nil, "\(ciphers.debugDescription)")
        }
    }
}
