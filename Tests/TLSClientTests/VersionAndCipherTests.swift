import COpenSSL
import CheckModel
import Testing

@testable import TLSClient

/// Versions and ciphers that both sides have, or not.
@Suite struct VersionAndCipherTests {
    let authority: Identity
    let identity: Identity
    let client: Client

    init() throws {
        authority = try Identity(Identity.Plan(name: "authority", alternativeNames: nil, isAuthority: true))
        identity = try Identity(Identity.Plan(key: .rsa2048), issuer: authority)
        client = try Client(trusting: authority)
    }

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func oldVersionsHaveToBeAskedFor(version: Int32) async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity, lowest: version, highest: version))
        let refused = try await client.shake(with: server)
        #expect(refused.name == .version)
        #expect(refused.report.chain.isEmpty)
        var client = client
        client.options.minimumVersion = version == TLS1_VERSION ? .tls10 : .tls11
        let shaken = try await client.shake(with: server)
        #expect(shaken.ending == .completed)
        #expect(shaken.report.version == (version == TLS1_VERSION ? "TLSv1" : "TLSv1.1"))
        #expect(shaken.report.isVerified)
        client.options.minimumVersion = nil
        client.options.maximumVersion = version == TLS1_VERSION ? .tls10 : .tls11
        #expect(try await client.shake(with: server).ending == .completed)
    }

    @Test func aServerThatIsTooNewIsTold() async throws {
        let settings = TLSServer.Settings(identity: identity, lowest: TLS1_3_VERSION, highest: TLS1_3_VERSION)
        let server = try TLSServer(settings)
        var client = client
        client.options.maximumVersion = .tls12
        let shaken = try await client.shake(with: server)
        #expect(shaken.name == .version)
        #expect(shaken.report.alert == TLSAlertReport(alert: TLSAlert(code: 70), sender: .peer))
        #expect(shaken.report.version == nil)
    }

    @Test func bothEndsOfTheVersionsAreKept() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var client = client
        client.options.maximumVersion = .tls12
        #expect(try await client.shake(with: server).report.version == "TLSv1.2")
        client.options.maximumVersion = nil
        client.options.minimumVersion = .tls13
        #expect(try await client.shake(with: server).report.version == "TLSv1.3")
    }

    @Test func ciphersAreNamedForBothKindsOfVersions() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var client = client
        client.options.ciphers = "TLS_AES_128_GCM_SHA256:AES128-SHA"
        #expect(try await client.shake(with: server).report.cipher == "TLS_AES_128_GCM_SHA256")
        client.options.maximumVersion = .tls12
        let shaken = try await client.shake(with: server)
        #expect(shaken.report.cipher == "AES128-SHA")
        #expect(shaken.report.group == nil)
    }

    @Test func noCommonCipherIsNamed() async throws {
        let settings = TLSServer.Settings(identity: identity, highest: TLS1_2_VERSION, ciphers: "AES256-SHA")
        let server = try TLSServer(settings)
        var client = client
        client.options.ciphers = "ECDHE-RSA-AES128-GCM-SHA256"
        let shaken = try await client.shake(with: server)
        #expect(shaken.name == .noSharedCipher)
        #expect(shaken.report.alert == TLSAlertReport(alert: TLSAlert(code: 40), sender: .peer))
    }

    @Test func ciphersThatTheLevelForbidsAreNoneAtAll() async throws {
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var client = client
        client.options.maximumVersion = .tls12
        client.options.ciphers = "NULL-SHA256"
        #expect(try await client.shake(with: server).name == .noSharedCipher)
    }

    @Test func withoutACertificateNothingIsVerified() async throws {
        let settings = TLSServer.Settings(
            identity: identity, highest: TLS1_2_VERSION, ciphers: "AECDH-AES128-SHA:@SECLEVEL=0")
        let server = try TLSServer(settings)
        var client = client
        client.options.ciphers = "AECDH-AES128-SHA:@SECLEVEL=0"
        let refused = try await client.shake(with: server)
        #expect(refused.name == .certificateInvalid)
        client.options.verify = false
        let shaken = try await client.shake(with: server)
        #expect(shaken.ending == .completed)
        #expect(!shaken.report.isVerified)
        #expect(shaken.report.cipher == "AECDH-AES128-SHA")
    }

    @Test func aLevelThatIsAskedForHoldsForCertificatesToo() async throws {
        let weak = try Identity(Identity.Plan(key: .rsa1024), issuer: authority)
        let server = try TLSServer(TLSServer.Settings(identity: weak))
        var client = client
        client.options.ciphers = "DEFAULT:@SECLEVEL=1"
        #expect(try await client.shake(with: server).ending == .completed)
        client.options.ciphers = "DEFAULT:@SECLEVEL=2"
        #expect(try await client.shake(with: server).name == .certificateWeak)
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
