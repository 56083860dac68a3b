import CLinux
import NetworkTypes
import SocketIO
import Testing

/// Conversion to struct sockaddr and back.
@Suite struct SocketNameTests {
    /// Converts to the struct that the kernel receives, and back.
    private func roundTrip(_ endpoint: IPEndpoint) throws(Errno) -> IPEndpoint? {
        try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
            var storage = sockaddr_storage()
            withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: .init(start: name, count: Int(length))) }
            return SocketName.endpoint(from: storage)
        }
    }

    @Test(arguments: ["0.0.0.0", "127.0.0.1", "1.2.3.4", "255.255.255.255"], [0, 1, 80, 0x1234, 65535] as [UInt16])
    func ipv4(text: String, port: UInt16) throws {
        let endpoint = IPEndpoint(address: .v4(try #require(IPv4Address(parsing: text))), port: port)
        #expect(try roundTrip(endpoint) == endpoint)
    }

    @Test(arguments: ["::", "::1", "2001:db8::1:2", "102:304:506:708:90a:b0c:d0e:f10", "::ffff:1.2.3.4", "fe80::1%lo"])
    func ipv6(text: String) throws {
        let endpoint = IPEndpoint(address: .v6(try #require(IPv6Address(parsing: text))), port: 0x1234)
        #expect(try roundTrip(endpoint) == endpoint)
    }

    @Test func bytesAreInNetworkOrder() throws {
        let bits = try #require(IPv6Address(parsing: "102:304:506:708:90a:b0c:d0e:f10"))
        let endpoint = IPEndpoint(address: .v6(bits), port: 0x1122)
        let bytes = try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
            [UInt8](UnsafeRawBufferPointer(start: name, count: Int(length)))
        }
        #expect(bytes[2..<4] == [0x11, 0x22])
        #expect(bytes[8..<24] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
    }

    @Test func aZoneIsANameOrANumber() throws {
        let loopbackIndex = if_nametoindex("lo")
        func zoned(_ zone: String?) -> IPEndpoint {
            IPEndpoint(address: .v6(IPv6Address(bits: 0xFE80 << 112 | 1, zone: zone)), port: 1)
        }
        #expect(try roundTrip(zoned("lo")) == zoned("lo"))
        #expect(try roundTrip(zoned("\(loopbackIndex)")) == zoned("lo"))
        #expect(try roundTrip(zoned(nil)) == zoned(nil))
        for zone in [
            "nowhere0", "lo\0x", "+1", "-1", "", "0", "4000000000", "4294967296", String(repeating: "x", count: 300),
        ] {
            #expect(throws: Errno(ENODEV), "\(zone)") { try roundTrip(zoned(zone)) }
        }
    }

    @Test func aUnixNameHasTheLengthOfItsBytes() throws {
        func name(_ address: UnixAddress) throws(Errno) -> [UInt8] {
            try SocketName.withName(of: address) { (name, length) throws(Errno) in
                Array(UnsafeRawBufferPointer(start: name, count: Int(length)).dropFirst(2))
            }
        }
        #expect(try name(.path([0x2F, 0x61])) == [0x2F, 0x61, 0])
        #expect(try name(.abstract([0x61, 0, 0x62])) == [0, 0x61, 0, 0x62])
        #expect(try name(.abstract([])) == [0])
        #expect(try name(.path(Array(repeating: 0x78, count: 107))).count == 108)
        #expect(try name(.abstract(Array(repeating: 0x78, count: 107))).count == 108)
    }

    @Test func aUnixNameIsNotAnInternetEndpoint() throws {
        let address = UnixAddress.abstract(Array("connectd-names-\(getpid())".utf8))
        let peer = try UnixPeer(.stream, at: address)
        let socket = try Socket(.unix(.stream))
        _ = try socket.connect(to: .unix(address))
        #expect(socket.localName() == nil)
        #expect(socket.peerName() == nil)
        #expect(peer.socket.localName() == nil)
    }

    @Test func aSocketWithoutAPeerHasNoPeerName() throws {
        let socket = try Socket(.tcp(.ipv6))
        #expect(socket.peerName() == nil)
        #expect(socket.localName() == IPEndpoint(address: .v6(IPv6Address(bits: 0)), port: 0))
    }
}
