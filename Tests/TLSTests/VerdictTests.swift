import COpenSSL
import CheckModel
import ErrorCatalogue
import TLS
import Testing

/// What is said about certificates. The chain is reported whatever the verdict, also where nobody asked for one.
@Suite struct VerdictTests {
    typealias Plan = Identity.Plan

    /// A certificate as it should not be.
    struct Flaw: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var plan = Plan()
        var authority = Plan(name: "authority", alternativeNames: nil, isAuthority: true)
        var isSelfSigned = false
        var isTrusted = true
        let name: TLSFailure
        let verifyError: String
        var depth = 0
    }

    static let flaws = [
        Flaw(
            testDescription: "expired", plan: Plan(endsInDays: -1), name: .certificateExpired,
            verifyError: "X509_V_ERR_CERT_HAS_EXPIRED"),
        Flaw(
            testDescription: "future", plan: Plan(beginsInDays: 1), name: .certificateNotYetValid,
            verifyError: "X509_V_ERR_CERT_NOT_YET_VALID"),
        Flaw(
            testDescription: "expired authority",
            authority: Plan(name: "authority", alternativeNames: nil, endsInDays: -1, isAuthority: true),
            name: .certificateExpired, verifyError: "X509_V_ERR_CERT_HAS_EXPIRED", depth: 1),
        Flaw(
            testDescription: "another name", plan: Plan(alternativeNames: "DNS:b.example,DNS:*.a.example"),
            name: .certificateNameMismatch, verifyError: "X509_V_ERR_HOSTNAME_MISMATCH"),
        Flaw(
            testDescription: "a part of a name as wildcard", plan: Plan(alternativeNames: "DNS:a*.example"),
            name: .certificateNameMismatch, verifyError: "X509_V_ERR_HOSTNAME_MISMATCH"),
        Flaw(
            testDescription: "a name in the subject only", plan: Plan(alternativeNames: nil),
            name: .certificateNameMismatch, verifyError: "X509_V_ERR_HOSTNAME_MISMATCH"),
        Flaw(
            testDescription: "self-signed", isSelfSigned: true, name: .certificateSelfSigned,
            verifyError: "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT"),
        Flaw(
            testDescription: "self-signed and expired", plan: Plan(endsInDays: -1), isSelfSigned: true,
            name: .certificateSelfSigned, verifyError: "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT"),
        Flaw(
            testDescription: "unknown authority", isTrusted: false, name: .certificateUnknownAuthority,
            verifyError: "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
        Flaw(
            testDescription: "unknown authority and expired", plan: Plan(endsInDays: -1), isTrusted: false,
            name: .certificateUnknownAuthority, verifyError: "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY"),
        Flaw(
            testDescription: "RSA 1024", plan: Plan(key: .rsa1024), name: .certificateWeak,
            verifyError: "X509_V_ERR_EE_KEY_TOO_SMALL"),
        Flaw(
            testDescription: "RSA 512", plan: Plan(key: .rsa512), name: .certificateWeak,
            verifyError: "X509_V_ERR_EE_KEY_TOO_SMALL"),
        Flaw(
            testDescription: "authority with RSA 1024",
            authority: Plan(name: "authority", alternativeNames: nil, key: .rsa1024, isAuthority: true),
            name: .certificateWeak, verifyError: "X509_V_ERR_CA_KEY_TOO_SMALL", depth: 1),
        Flaw(
            testDescription: "signed with SHA-1", plan: Plan(digest: "SHA1"), name: .certificateWeak,
            verifyError: "X509_V_ERR_CA_MD_TOO_WEAK"),
        Flaw(
            testDescription: "signed with MD5", plan: Plan(digest: "MD5"),
            authority: Plan(name: "authority", alternativeNames: nil, key: .rsa2048, isAuthority: true),
            name: .certificateWeak, verifyError: "X509_V_ERR_CA_MD_TOO_WEAK"),
        Flaw(
            testDescription: "issued by what is no authority",
            authority: Plan(name: "authority", alternativeNames: nil), name: .certificateInvalid,
            verifyError: "X509_V_ERR_INVALID_CA", depth: 1),
        Flaw(
            testDescription: "an end that is no time", plan: Plan(endText: "991332000000Z"),
            name: .certificateInvalid, verifyError: "X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD"),
    ]

    /// TLS 1.2 as well, since OpenSSL goes other ways there. RSA 512 is too short for the signatures of TLS 1.3.
    @Test(arguments: flaws, [TLS1_2_VERSION, TLS1_3_VERSION])
    func aFlawIsNamedAndTheChainReported(flaw: Flaw, version: Int32) async throws {
        let lasting = flaw.plan.key == .rsa512 ? TLS1_2_VERSION : version
        let authority = try Identity(flaw.authority)
        let identity = try Identity(flaw.plan, issuer: flaw.isSelfSigned ? nil : authority)
        let other = try Identity(Plan(name: "other", alternativeNames: nil, isAuthority: true))
        let server = try TLSServer(TLSServer.Settings(identity: identity, lowest: lasting, highest: lasting))
        var client = try Client(trusting: flaw.isTrusted ? authority : other)

        let refused = try await client.handshake(with: server)
        #expect(refused.name == flaw.name)
        #expect(refused.failure?.alert?.sender == .prober)
        #expect(refused.report.alert == refused.failure?.alert)
        check(refused.report, flaw)

        client.options.verify = false
        let seen = try await client.handshake(with: server)
        #expect(seen.ending == .completed)
        check(seen.report, flaw)
    }

    private func check(_ report: TLSReport, _ flaw: Flaw) {
        #expect(!report.isVerified)
        #expect(report.verifyError?.name == flaw.verifyError)
        #expect(report.verifyError?.depth == flaw.depth)
        #expect(report.chain.map(\.subject) == ["CN=a.example"])
        #expect(report.verifiedChain == nil)
        #expect(report.version != nil)
        #expect(report.cipher != nil)
    }

    /// It is no certificate that lasts for ever.
    @Test func anEndThatIsNoTimeIsSooner() async throws {
        let trust = try Trust()
        let identity = try Identity(Plan(endText: "991332000000Z"), issuer: trust.authority)
        var client = trust.client
        client.options.verify = false
        client.options.minimumDaysLeft = 0
        let result = try await client.handshake(with: TLSServer(TLSServer.Settings(identity: identity)))
        #expect(result.name == .certificateInvalid)
        let certificate = try #require(result.report.chain.first)
        #expect(certificate.notBefore != nil && certificate.notAfter == nil && certificate.expiresInSeconds == nil)
    }

    @Test(arguments: [true, false])
    func whetherACertificateDemandsAStapleIsReported(demands: Bool) async throws {
        let trust = try Trust()
        let identity = try Identity(Plan(mustStaple: demands), issuer: trust.authority)
        let result = try await trust.client.handshake(with: TLSServer(TLSServer.Settings(identity: identity)))
        #expect(result.ending == .completed)
        #expect(result.report.chain.map(\.mustStaple) == [demands])
    }

    @Test func goodKeysOfEveryKindAreVerified() async throws {
        let authority = try Identity(Plan(name: "authority", alternativeNames: nil, key: .rsa2048, isAuthority: true))
        let client = try Client(trusting: authority)
        for key in [Identity.Key.p256, .p384, .ed25519, .rsa2048] {
            let server = try TLSServer(TLSServer.Settings(identity: try Identity(Plan(key: key), issuer: authority)))
            #expect(try await client.handshake(with: server).ending == .completed)
        }
    }

    @Test func anIncompleteChainHasAnUnknownAuthority() async throws {
        let chain = try Chain()
        let client = try Client(trusting: chain.root)
        let server = try TLSServer(TLSServer.Settings(identity: chain.leaf))
        let result = try await client.handshake(with: server)
        #expect(result.name == .certificateUnknownAuthority)
        #expect(result.report.chain.count == 1)
    }

    @Test func aReversedChainIsReportedAsItWasSentAndVerifiedInItsOrder() async throws {
        let chain = try Chain()
        let client = try Client(trusting: chain.root)
        let reversed = [chain.root, chain.middle]
        let server = try TLSServer(TLSServer.Settings(identity: chain.leaf, chain: reversed))
        let result = try await client.handshake(with: server)
        #expect(result.ending == .completed)
        #expect(result.report.chain.map(\.subject) == ["CN=a.example", "CN=root", "CN=middle"])
        #expect(result.report.verifiedChain?.map(\.subject) == ["CN=a.example", "CN=middle", "CN=root"])
    }

    @Test func aRootThatIsSentIsNotTrustedForThat() async throws {
        let chain = try Chain()
        let other = try Identity(Plan(name: "other", alternativeNames: nil, isAuthority: true))
        let client = try Client(trusting: other)
        let server = try TLSServer(TLSServer.Settings(identity: chain.leaf, chain: [chain.middle, chain.root]))
        let result = try await client.handshake(with: server)
        #expect(result.name == .certificateUnknownAuthority)
        #expect(result.report.verifyError?.name == "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN")
    }

    @Test func aConfiguredIntermediateOrCertificateIsTrustedByItself() async throws {
        let chain = try Chain()
        let server = try TLSServer(TLSServer.Settings(identity: chain.leaf))
        for anchor in [chain.middle, chain.leaf] {
            let result = try await Client(trusting: anchor).handshake(with: server)
            #expect(result.ending == .completed)
        }
    }

    @Test func theSystemsAuthoritiesDoNotKnowOurs() async throws {
        let chain = try Chain()
        let server = try TLSServer(TLSServer.Settings(identity: chain.leaf, chain: [chain.middle]))
        #expect(try await Client().handshake(with: server).name == .certificateUnknownAuthority)
    }

    @Test(arguments: [(18, true), (108, false)])
    func aChainOfManyLinksEndsAtTheLimitOfOpenSSL(_ count: Int, _ isGood: Bool) async throws {
        let root = try Identity(Plan(name: "0", alternativeNames: nil, isAuthority: true))
        var links = [root]
        for number in 1...count {
            let plan = Plan(name: "\(number)", alternativeNames: nil, isAuthority: true)
            links.append(try Identity(plan, issuer: links[number - 1]))
        }
        let leaf = try Identity(issuer: links[count])
        let server = try TLSServer(TLSServer.Settings(identity: leaf, chain: links.reversed()))
        let result = try await Client(trusting: root).handshake(with: server)
        #expect(result.report.chain.count == count + 2)
        #expect(result.report.isVerified == isGood)
        if isGood { return }
        #expect(result.name == .certificateInvalid)
        #expect(result.failure?.subject == .chainLength)
        #expect(result.report.verifyError?.name == "X509_V_ERR_CERT_CHAIN_TOO_LONG")
    }
}

private struct Chain {
    let root: Identity
    let middle: Identity
    let leaf: Identity

    init() throws {
        root = try Identity(Identity.Plan(name: "root", alternativeNames: nil, isAuthority: true))
        middle = try Identity(
            Identity.Plan(name: "middle", alternativeNames: nil, isAuthority: true), issuer: root)
        leaf = try Identity(issuer: middle)
    }
}
