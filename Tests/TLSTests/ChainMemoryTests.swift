import COpenSSL
import Foundation
import SocketIO
@testable import TLS
import Testing

@Suite struct ChainMemoryTests {
    private let now = Int64(Date.now.timeIntervalSince1970)

    private func stack(_ identities: Identity...) throws -> CertificateStack {
        let stack = try #require(OPENSSL_sk_new_null())
        for identity in identities { OPENSSL_sk_push(stack, UnsafeMutableRawPointer(try identity.openCertificate())) }
        return CertificateStack(adopting: stack)
    }

    private func question(_ chain: CertificateStack, _ name: String = "a.example", level: Int32 = 2) throws
        -> ChainMemory.Question
    {
        try #require(ChainMemory.question(about: chain, name: .name(name), level: level))
    }

    @Test func aGoodChainIsKnownAgainFromOtherObjectsWithTheSameBytes() throws {
        let identity = try Identity()
        let memory = ChainMemory()
        memory.remember(try stack(identity), for: try question(try stack(identity)))
        #expect(memory.verifiedChain(for: try question(try stack(identity)), now: now) != nil)
    }

    @Test func anotherNameLevelOrCertificateIsAnotherQuestion() throws {
        let (identity, other) = (try Identity(), try Identity())
        let memory = ChainMemory()
        memory.remember(try stack(identity), for: try question(try stack(identity)))
        #expect(memory.verifiedChain(for: try question(try stack(identity), "b.example"), now: now) == nil)
        #expect(memory.verifiedChain(for: try question(try stack(identity), level: 1), now: now) == nil)
        #expect(memory.verifiedChain(for: try question(try stack(other)), now: now) == nil)
        #expect(memory.verifiedChain(for: try question(try stack(identity, other)), now: now) == nil)
    }

    @Test func aChainIsKnownOnlyWithinTheDatesOfAllItsCertificates() throws {
        let (long, short) = (
            try Identity(Identity.Plan(beginsInDays: -100, endsInDays: 100)),
            try Identity(Identity.Plan(beginsInDays: -1, endsInDays: 1))
        )
        let memory = ChainMemory()
        let asked = try question(try stack(long))
        memory.remember(try stack(long, short), for: asked)
        for (days, isKnown) in [(-2, false), (0, true), (2, false)] {
            #expect((memory.verifiedChain(for: asked, now: now + Int64(days) * 86400) != nil) == isKnown, "\(days)")
        }
    }

    @Test func whatNoServerIsMetWithAgainIsNotAskedFor() throws {
        let identity = try Identity()
        let chain = try stack(
            identity, identity, identity, identity, identity, identity, identity, identity, identity)
        #expect(ChainMemory.question(about: chain, name: .nobody, level: 2) == nil)
    }

    @Test func theMemoryHasAnEnd() throws {
        let identity = try Identity()
        let memory = ChainMemory()
        for index in 0..<200 {
            memory.remember(try stack(identity), for: try question(try stack(identity), "\(index).example"))
        }
        #expect(memory.count <= 128)
        #expect(memory.verifiedChain(for: try question(try stack(identity), "199.example"), now: now) != nil)
    }
}
