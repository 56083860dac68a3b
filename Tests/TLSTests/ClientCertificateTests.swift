import COpenSSL
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
@testable import TLS
import Testing

@Suite struct ClientCertificateTests {
    let authority: Identity
    let identity: Identity

    init() throws {
        let trust = try Trust()
        (authority, identity) = (trust.authority, trust.identity)
    }

    private func server(_ version: Int32, requires: Bool = true, sendsTickets: Bool = true) throws -> TLSServer {
        var settings = TLSServer.Settings(identity: identity, lowest: version, highest: version)
        settings.verify = SSL_VERIFY_PEER | (requires ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        settings.clientAuthority = authority
        settings.sendsTickets = sendsTickets
        return try TLSServer(settings) { connection in
            // Says nothing by itself, until the client closes.
            var byte: UInt8 = 0
            if connection.isAccepted { SSL_read(connection.ssl, &byte, 1) }
        }
    }

    private func client(showing certificate: Identity? = nil) throws -> Client {
        var client = try Client(trusting: authority)
        guard let certificate else { return client }
        let entry = try ClientCertificate(certificatePEM: certificate.certificatePEM, keyPEM: certificate.keyPEM)
        client.material = TLSMaterial(
            authorities: client.material.authorities, clientCertificates: ["probe": entry])
        client.options.clientCertificate = "probe"
        return client
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func withoutTheCertificateThatIsRequired(version: Int32) async throws {
        let result = try await client().handshake(with: server(version))
        #expect(result.name == .clientCertificateRequired)
        #expect(result.failure?.sentCertificate == false)
        let alert = TLSAlert(name: version == TLS1_3_VERSION ? "certificate_required" : "handshake_failure")
        #expect(result.report.alert?.alert == alert)
        #expect(result.report.alert?.sender == .peer)
        #expect(result.report.isVerified)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func withTheCertificateThatIsRequired(version: Int32) async throws {
        let probe = try Identity(Identity.Plan(name: "probe", alternativeNames: nil), issuer: authority)
        let result = try await client(showing: probe).handshakeWithoutWait(with: server(version))
        #expect(result.ending == .completed)
        // What told that it was accepted came at once, and not at the end of a wait.
        #expect(result.wasSoon)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func withACertificateOfAnUnknownAuthority(version: Int32) async throws {
        let stranger = try Identity(Identity.Plan(name: "stranger", alternativeNames: nil))
        let result = try await client(showing: stranger).handshake(with: server(version))
        #expect(result.name == .alert)
        #expect(result.failure?.sentCertificate == true)
        #expect(result.report.alert?.sender == .peer)
    }

    @Test func aServerThatOnlyAsksIsAwaitedForItsVerdict() async throws {
        let asking = try await client().handshakeWithoutWait(with: server(TLS1_3_VERSION, requires: false))
        #expect(asking.ending == .completed)
        #expect(asking.wasSoon)
        // Without tickets it has nothing to say: the wait ends by itself.
        let silent = try await client().handshake(
            with: server(TLS1_3_VERSION, requires: false, sendsTickets: false))
        #expect(silent.ending == .completed)
        #expect((450_000_000..<4_000_000_000).contains(silent.report.handshakeNanoseconds))
        // In TLS 1.2 the server's last message of the handshake is the verdict.
        let old = try await client().handshakeWithoutWait(
            with: server(TLS1_2_VERSION, requires: false, sendsTickets: false))
        #expect(old.ending == .completed)
        #expect(old.wasSoon)
    }

    @Test func aCertificateIsNotShownToWhomIsNotVerified() async throws {
        let probe = try Identity(Identity.Plan(name: "probe", alternativeNames: nil), issuer: authority)
        var client = try client(showing: probe)
        client.host = .name("b.example")
        for version in [TLS1_2_VERSION, TLS1_3_VERSION] {
            let result = try await client.handshake(with: server(version))
            #expect(result.name == .certificateNameMismatch)
            #expect(result.failure?.sentCertificate == false)
        }
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func anExpectedAlertIsTheSuccess(version: Int32) async throws {
        var client = try client()
        let name = version == TLS1_3_VERSION ? "certificate_required" : "handshake_failure"
        client.options.expectedAlert = TLSAlert(name: name)
        let refused = try await client.handshake(with: server(version))
        #expect(refused.ending == .expectedAlert)
        #expect(refused.report.alert?.alert.name == name)
        let lenient = try await client.handshake(with: server(version, requires: false))
        #expect(lenient.name == .alert)
        #expect(lenient.failure?.message == "the alert \(name) was expected and did not come")
        #expect(lenient.report.alert == nil)
    }

    @Test func anotherAlertThanTheExpectedKeepsItsName() async throws {
        var client = try client()
        client.options.expectedAlert = TLSAlert(name: "access_denied")
        let result = try await client.handshake(with: server(TLS1_3_VERSION))
        #expect(result.name == .clientCertificateRequired)
    }

    @Test func aCertificateThatNobodyConfiguredIsAFailure() async throws {
        var client = try client()
        client.options.clientCertificate = "unknown"
        await #expect(throws: TLSHandshakeFailure.self) {
            try await client.handshake(with: server(TLS1_3_VERSION))
        }
    }
}
