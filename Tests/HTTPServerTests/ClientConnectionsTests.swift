import NetworkTypes
import Testing

@testable import HTTPServer

/// How many connections one client may have.
struct ClientConnectionsTests {
    private static func peer(_ address: String) throws -> Peer {
        .ip(IPEndpoint(address: try #require(IPAddress(parsing: address)), port: 40000))
    }

    private static func source(
        _ address: String, purpose: Listener.Purpose = .service, isHTTPS: Bool = false, certificate: String? = nil
    ) throws -> ConnectionSource {
        ConnectionSource(
            listener: .tcp, purpose: purpose, peer: try peer(address), isHTTPS: isHTTPS, certificateName: certificate)
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"), ("fe80::1", "fe80::/64"),
    ])
    func aNetworkIsAnAddressOrASixtyFour(address: String, text: String) throws {
        #expect(ClientNetwork(of: try Self.peer(address))?.text == text)
    }

    @Test func aUnixClientHasNoNetwork() {
        #expect(ClientNetwork(of: .unix) == nil)
    }

    @Test func theConfiguredLimitHolds() throws {
        let clients = ClientConnections(limit: 2, serviceLimit: 100, healthLimit: 10)
        let (one, other) = (try Self.source("2001:db8::1"), try Self.source("2001:db8::2"))
        #expect(clients.verdict(on: one) == .mayConnect)
        clients.add(one.owner)
        clients.add(other.owner)
        #expect(clients.verdict(on: one) == .mustNotConnect, "both are in one /64")
        #expect(clients.verdict(on: try Self.source("2001:db8:0:1::1")) == .mayConnect)
        #expect(clients.verdict(on: try Self.source("2001:db8::1", purpose: .health)) == .mayConnect)
        #expect(clients.verdict(on: try Self.source("2001:db8::1", certificate: "ann")) == .mayConnect)
        clients.remove(other.owner)
        #expect(clients.verdict(on: one) == .mayConnect)
    }

    @Test(arguments: [(255, 255), (256, 240), (16_384, 15_360)])
    func theLastSixteenthIsForOtherClients(total: Int, share: Int) throws {
        let clients = ClientConnections(limit: 0, serviceLimit: total, healthLimit: 10)
        let source = try Self.source("192.0.2.1")
        for _ in 0..<share {
            #expect(clients.verdict(on: source) == .mayConnect)
            clients.add(source.owner)
        }
        #expect(clients.verdict(on: source) == .mustReplace)
        #expect(clients.verdict(on: try Self.source("192.0.2.2")) == .mayConnect)
    }

    @Test func aConnectionWithTLSCountsTwice() throws {
        let clients = ClientConnections(limit: 0, serviceLimit: 256, healthLimit: 10)
        let source = try Self.source("192.0.2.1", isHTTPS: true)
        for _ in 0..<120 { clients.add(source.owner) }
        #expect(clients.verdict(on: source) == .mustReplace)
    }

    @Test func unixClientsAreNotCounted() {
        let clients = ClientConnections(limit: 1, serviceLimit: 256, healthLimit: 10)
        let source = ConnectionSource(listener: .unix, purpose: .service, peer: .unix)
        #expect(source.owner == nil)
        for _ in 0..<10 { clients.add(source.owner) }
        #expect(clients.verdict(on: source) == .mayConnect)
    }
}
