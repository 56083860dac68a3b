import CheckModel
import ErrorCatalogue
import NetworkTypes
@testable import TLS
import Testing

/// Which names a certificate is for, beyond OpenSSL's own comparison.
@Suite struct HostNameMatchTests {
    private func matches(_ pattern: String, _ host: String) -> Bool {
        HostNameMatch.matches(pattern: Array(pattern.utf8)[...], host: Array(host.utf8)[...])
    }

    @Test(arguments: [
        ("*.wild.test", "code_cube.wild.test"), ("*.wild.test", "_dmarc.wild.test"), ("*.wild.test", "a.wild.test"),
        ("*.WILD.test", "Code_Cube.wild.TEST"), ("*.wild_card.test", "a.wild_card.test"),
        ("*.wild.test", "xn--caf-dma.wild.test"), ("code_cube.wild.test", "CODE_CUBE.wild.test"),
        ("a_b.c_d.test", "a_b.c_d.test"),
    ])
    func aNameIsForAHost(_ pattern: String, _ host: String) {
        #expect(matches(pattern, host))
    }

    @Test(arguments: [
        ("f*.wild.test", "foo.wild.test"), ("*f.wild.test", "of.wild.test"), ("f*o.wild.test", "foo.wild.test"),
        ("*.wild.test", "wild.test"), ("*.wild.test", "a_b.c.wild.test"), ("*.wild.test", ".wild.test"),
        ("a.*.test", "a.b_c.test"), ("*.*.test", "a_b.c.test"), ("*.test", "a_b.test"), ("*", "a_b"), ("*.", "a_b."),
        ("**.wild.test", "a_b.wild.test"), ("*.wild.test.", "a_b.wild.test"), ("*.wild.test", "a b.wild.test"),
        ("*.wild.test\u{0}.evil.test", "a_b.wild.test"), ("*.wild.test", "a_b.wild.test.evil.test"),
        ("xn--*.wild.test", "xn--a_b.wild.test"), ("*.wild.tést", "a_b.wild.test"), ("", ""), ("*.wild.test", ""),
        ("*.wild.test", "*.wild.tes"), ("*.wild.test", "a_b.wildxtest"),
    ])
    func aNameIsNotForAHost(_ pattern: String, _ host: String) {
        #expect(!matches(pattern, host))
    }

    /// The name passes, and only the name: what OpenSSL finds after it stays.
    @Test(
        arguments: [
            ("DNS:*.wild.test", "code_cube.wild.test", 90, nil), ("DNS:*.wild.test", "code_cube.wild.test.", 90, nil),
            ("DNS:*.wild.test", "code_cube.wild.test", -2, .certificateExpired),
            ("DNS:f*.wild.test", "f_o.wild.test", 90, .certificateNameMismatch),
            ("DNS:*.test", "a_b.test", 90, .certificateNameMismatch),
            ("email:a@code_cube.wild.test", "code_cube.wild.test", 90, .certificateNameMismatch),
        ] as [(String, String, Int, TLSFailure?)])
    func aHandshakeVerifiesTheName(_ names: String, _ host: String, _ days: Int, _ failure: TLSFailure?) async throws {
        let authority = try Identity(Identity.Plan(name: "authority", alternativeNames: nil, isAuthority: true))
        let plan = Identity.Plan(name: "leaf", alternativeNames: names, endsInDays: days)
        let server = try TLSServer(TLSServer.Settings(identity: try Identity(plan, issuer: authority)))
        var client = try Client(trusting: authority)
        client.host = .name(host)
        let result = try await client.handshake(with: server)
        #expect(result.name == failure)
        #expect(result.report.isVerified == (failure == nil))
        // A verdict that is remembered is the same.
        #expect(try await client.handshake(with: server).name == failure)
    }

    @Test(
        arguments: [
            (nil, TLSHandshakeFailure.Subject.missingNames), ("email:a@b.example", .missingNames),
            ("DNS:b.example", .handshake), ("IP:192.0.2.1", .handshake),
        ] as [(String?, TLSHandshakeFailure.Subject)])
    func aMismatchSaysWhetherThereAreNames(_ names: String?, _ subject: TLSHandshakeFailure.Subject) async throws {
        let authority = try Identity(Identity.Plan(name: "authority", alternativeNames: nil, isAuthority: true))
        let identity = try Identity(Identity.Plan(alternativeNames: names), issuer: authority)
        let server = try TLSServer(TLSServer.Settings(identity: identity))
        var client = try Client(trusting: authority)
        var failure = try await client.handshake(with: server).failure
        #expect(failure?.subject == subject && failure?.sentServerName == true)
        client.host = try .address(#require(IPAddress(parsing: "192.0.2.7")))
        failure = try await client.handshake(with: server).failure
        #expect(failure?.subject == subject && failure?.sentServerName == false)
    }
}
