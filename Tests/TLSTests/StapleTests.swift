import COpenSSL
import CheckModel
import ErrorCatalogue
import TLS
import Testing

/// Stapled OCSP responses of a server that staples.
@Suite struct StapleTests {
    let tool: OpenSSLTool
    let authority: Identity
    let identity: Identity

    init() throws {
        tool = try OpenSSLTool()
        let trust = try Trust()
        (authority, identity) = (trust.authority, trust.identity)
        for (name, identity) in [("ca", authority), ("leaf", identity)] {
            try tool.write(String(decoding: identity.certificatePEM, as: UTF8.self), to: "\(name).pem")
            try tool.write(String(decoding: identity.keyPEM, as: UTF8.self), to: "\(name).key")
        }
    }

    /// - Parameter state: V or R, as in the index of `openssl ca`.
    private func staple(_ state: String) throws -> [UInt8] {
        let serial = try tool("x509", "-in", "leaf.pem", "-noout", "-serial").split(separator: "=")[1]
        let revoked = state == "R" ? "250101000000Z" : ""
        try tool.write("\(state)\t400101000000Z\t\(revoked)\t\(serial)\tunknown\t/CN=leaf\n", to: "index")
        try tool.respond(signer: "ca", digest: "-sha1", times: ["-ndays", "1"])
        return try tool.bytes(of: "response")
    }

    private func server(_ staple: [UInt8], _ version: Int32) throws -> TLSServer {
        var settings = TLSServer.Settings(identity: identity, lowest: version, highest: version)
        settings.staple = Staple(staple)
        return try TLSServer(settings)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func itsStatusIsReportedAndDecidesWhereThatIsAskedFor(version: Int32) async throws {
        let cases: [([UInt8], OCSPReport.Status, TLSFailure?)] = [
            (try staple("V"), .good, nil), (try staple("R"), .revoked, .certificateRevoked),
            ([1, 2, 3], .invalid, .certificateInvalid),
        ]
        for (staple, status, name) in cases {
            let server = try server(staple, version)
            var client = try Client(trusting: authority)
            let seen = try await client.handshake(with: server)
            #expect(seen.ending == .completed)
            #expect(seen.report.ocsp.isStapled)
            #expect(seen.report.ocsp.status == status)
            client.options.revocation = .ocspStapled
            for verify in [true, false] {
                client.options.verify = verify
                #expect(try await client.handshake(with: server).name == name)
            }
        }
    }
}
