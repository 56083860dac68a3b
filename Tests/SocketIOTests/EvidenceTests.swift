import CLinux
import NetworkTypes
import SocketIO
import Testing

/// What the kernel reports about a connection or its failure.
@Suite struct EvidenceTests {
    @Test(arguments: AddressFamily.allCases) func aConnectionHasTCPInformation(family: AddressFamily) throws {
        let listener = try Listener(family)
        let socket = try Socket(.tcp(family))
        #expect(socket.tcpInformation()?.isEstablished == false)
        try BlockingConnect.connect(socket, to: .ip(listener.endpoint))
        let information = try tcpInformation(of: socket)
        #expect(information.isEstablished)
        #expect(information.values.synRetransmits == 0)
        // The SYN, and the last ACK of the handshake.
        #expect((information.values.synSent, information.segmentsSent) == (1, 2))
        #expect(information.values.sendMSS > 0)
        #expect(information.values.pathMTU >= information.values.sendMSS)
        #expect(try Socket(.udp(family)).tcpInformation() == nil)
        #expect(try Socket(.unix(.stream)).tcpInformation() == nil)
    }

    private func tcpInformation(
        of socket: borrowing Socket
    ) throws -> (isEstablished: Bool, segmentsSent: UInt32, values: TCPInformation) {
        let information = socket.tcpInformation()
        return try #require(information)
    }

    @Test(arguments: [UnixSocketType.stream, .seqpacket]) func aUnixPeerHasCredentials(type: UnixSocketType) throws {
        let directory = try TemporaryDirectory()
        let peer = try UnixPeer(type, at: directory.address("socket"))
        let socket = try Socket(.unix(type))
        #expect(socket.peerCredentials() == nil)
        _ = try socket.connect(to: .unix(peer.address))
        #expect(socket.peerCredentials() == PeerCredentials(pid: getpid(), uid: getuid(), gid: getgid()))
    }

    @Test func internetSocketsAndDatagramsHaveNoCredentials() throws {
        let directory = try TemporaryDirectory()
        let peer = try UnixPeer(.dgram, at: directory.address("socket"))
        let socket = try Socket(.unix(.dgram))
        _ = try socket.connect(to: .unix(peer.address))
        #expect(socket.peerCredentials() == nil)
        #expect(try Socket(.tcp(.ipv4)).peerCredentials() == nil)
    }

    @Test(arguments: [(AddressFamily.ipv4, 3, 3), (.ipv6, 1, 4)] as [(AddressFamily, UInt8, UInt8)])
    func theICMPMessageOfARefusedDatagramIsReported(family: AddressFamily, type: UInt8, code: UInt8) throws {
        let deaf = try unreachableSocket(family)
        let endpoint = try localName(of: deaf)
        let socket = try Socket(.udp(family))
        try socket.setReceivesErrors(true)
        _ = try socket.connect(to: .ip(endpoint))
        #expect(takeICMP(of: socket) == nil)
        #expect(try socket.send([1][...]) == 1)
        #expect(waits(for: POLLERR, on: socket.number))
        let evidence = takeICMP(of: socket)
        #expect(evidence?.0 == Errno(ECONNREFUSED))
        #expect(evidence?.1 == ICMPMessage(family: family, type: type, code: code, from: endpoint.address))
        #expect(takeICMP(of: socket) == nil)
    }

    @Test func withoutTheOptionThereIsAnErrorWithoutAMessage() throws {
        let deaf = try unreachableSocket(.ipv4)
        let endpoint = try localName(of: deaf)
        let socket = try Socket(.udp(.ipv4))
        _ = try socket.connect(to: .ip(endpoint))
        #expect(try socket.send([1][...]) == 1)
        #expect(waits(for: POLLERR, on: socket.number))
        #expect(takeICMP(of: socket) == nil)
        #expect(errno { () throws(Errno) in _ = try socket.receive(atMost: 1) } == Errno(ECONNREFUSED))
        #expect(errno { () throws(Errno) in _ = try socket.receive(atMost: 1) } == Errno(EAGAIN))
    }

    private func takeICMP(of socket: borrowing Socket) -> (Errno, ICMPMessage)? {
        socket.takeICMP().map { ($0.error, $0.message) }
    }

    /// A UDP socket that receives nothing, because it is associated with a silent peer. The kernel refuses datagrams
    /// from others to its port, and no other socket can get the port.
    private func unreachableSocket(_ family: AddressFamily) throws -> Socket {
        let socket = try Socket(.udp(family))
        try socket.bind(to: loopback(family))
        _ = try socket.connect(to: .ip(loopback(family, port: 9)))
        return socket
    }

    @Test func localAddressesAreRecognized() throws {
        for text in ["127.0.0.1", "127.9.9.9", "0.0.0.0"] {
            #expect(LocalAddresses.contains(.v4(try #require(IPv4Address(parsing: text)))), "\(text)")
        }
        for text in ["::1", "::"] {
            #expect(LocalAddresses.contains(.v6(try #require(IPv6Address(parsing: text)))), "\(text)")
        }
        // Addresses for documentation, RFC 5737 and RFC 3849: never assigned.
        #expect(!LocalAddresses.contains(.v4(IPv4Address(bits: 0xC000_0201))))
        #expect(!LocalAddresses.contains(.v6(IPv6Address(bits: 0x2001_0DB8 << 96 | 1))))
        // bind(2) accepts these too: a multicast group and the broadcast address.
        #expect(!LocalAddresses.contains(.v4(IPv4Address(bits: 0xE000_0001))))
        #expect(!LocalAddresses.contains(.v4(IPv4Address(bits: 0xFFFF_FFFF))))
        #expect(!LocalAddresses.contains(.v6(IPv6Address(bits: 0xFF0E << 112 | 1))))
        #expect(LocalAddresses.hasAny(of: .ipv4))
        #expect(LocalAddresses.hasAny(of: .ipv6))
        #expect(LocalAddresses.source(toward: loopback(.ipv4).address) == loopback(.ipv4).address)
        #expect(LocalAddresses.source(toward: loopback(.ipv6).address) == loopback(.ipv6).address)
        #expect(LocalAddresses.source(toward: .v6(IPv6Address(bits: 0xFE80 << 112 | 1))) == nil)
    }

    @Test func aLinkTargetIsTheTextFromTheKernel() throws {
        let directory = try TemporaryDirectory()
        let peer = try UnixPeer(.stream, at: directory.address("socket"))
        try directory.link("link", to: "socket")
        let descriptor = try Descriptor.openPath(Array(directory.file("link").utf8))
        let text = { (target: [UInt8]?) in target.map { String(decoding: $0, as: UTF8.self) } }
        #expect(text(try descriptor.linkTarget()) == directory.file("socket"))
        unlink(directory.file("socket"))
        #expect(text(try descriptor.linkTarget()) == directory.file("socket") + " (deleted)")
        #expect(text(try peer.socket.descriptor.linkTarget())?.hasPrefix("socket:[") == true)
        #expect(throws: Errno(EINVAL)) { try Self.open([0x2F, 0, 0x78]) }
        #expect(throws: Errno(ENOENT)) { try Self.open([]) }
    }

    private static func open(_ path: [UInt8]) throws(Errno) {
        _ = try Descriptor.openPath(path)
    }
}
