import CLinux
import NetworkTypes
import SocketIO
import Testing

/// Datagram sockets: association, a second association, and its removal.
@Suite struct AssociationTests {
    /// A UDP socket on loopback.
    private struct LoopbackSocket: ~Copyable {
        let socket: Socket
        let endpoint: IPEndpoint

        init(_ family: AddressFamily) throws {
            let socket = try Socket(.udp(family))
            try socket.bind(to: loopback(family))
            endpoint = try localName(of: socket)
            self.socket = socket
        }

        func send(_ text: String, to endpoint: IPEndpoint) throws {
            let bytes = Array(text.utf8)
            let number = socket.number
            let count = try SocketName.withName(of: endpoint) { (name, length) throws(Errno) in
                sendto(number, bytes, bytes.count, 0, name, length)
            }
            #expect(count == bytes.count)
        }
    }

    /// The datagrams received so far, in order. Loopback delivers them inside sendto(2), so nothing needs to wait.
    private func received(by socket: borrowing Socket) throws -> [String] {
        var texts: [String] = []
        while true {
            do throws(Errno) {
                texts.append(String(decoding: try socket.receive(atMost: 100), as: UTF8.self))
            } catch {
                #expect(error == Errno(EAGAIN))
                return texts
            }
        }
    }

    @Test(arguments: AddressFamily.allCases) func anAssociatedSocketReceivesFromItsPeerOnly(
        family: AddressFamily
    ) throws {
        let one = try LoopbackSocket(family)
        let two = try LoopbackSocket(family)
        let socket = try Socket(.udp(family))
        let own = try bindToPort(socket, family)
        func sendFromBoth(_ number: Int) throws {
            try one.send("one \(number)", to: own)
            try two.send("two \(number)", to: own)
        }

        try sendFromBoth(0)
        #expect(try received(by: socket) == ["one 0", "two 0"])
        #expect(socket.peerName() == nil)

        #expect(try socket.connect(to: .ip(one.endpoint)) == .complete)
        try sendFromBoth(1)
        #expect(try received(by: socket) == ["one 1"])
        #expect(socket.peerName() == one.endpoint)

        #expect(try socket.connect(to: .ip(two.endpoint)) == .complete)
        try sendFromBoth(2)
        #expect(try received(by: socket) == ["two 2"])
        #expect(socket.peerName() == two.endpoint)
        #expect(try socket.send(Array("back".utf8)[...]) == 4)
        #expect(try received(by: two.socket) == ["back"])

        try socket.dissolve()
        #expect(socket.peerName() == nil)
        try sendFromBoth(3)
        #expect(try received(by: socket) == ["one 3", "two 3"])
        #expect(errno { () throws(Errno) in _ = try socket.send([1][...]) } == Errno(EDESTADDRREQ))
        #expect(socket.localName() == own)
        try socket.dissolve()
    }

    @Test func datagramsReceivedBeforeTheAssociationAreKept() throws {
        let one = try LoopbackSocket(.ipv4)
        let two = try LoopbackSocket(.ipv4)
        let socket = try Socket(.udp(.ipv4))
        try socket.bind(to: loopback())
        let own = try localName(of: socket)
        try one.send("early", to: own)
        _ = try socket.connect(to: .ip(two.endpoint))
        try one.send("late", to: own)
        #expect(try received(by: socket) == ["early"])
    }

    /// Binds to an explicit port. Unlike a port that the kernel chose, it remains when an association is removed.
    private func bindToPort(_ socket: borrowing Socket, _ family: AddressFamily) throws -> IPEndpoint {
        for _ in 0..<20 {
            let free = try LoopbackSocket(family).endpoint
            let error = errno { () throws(Errno) in try socket.bind(to: free) }
            // Another test may have taken the port in the meantime.
            if error == nil { return free }
            #expect(error == Errno(EADDRINUSE))
        }
        throw Errno(EADDRINUSE)
    }

    @Test func aLocalNameThatBindDidNotSetIsRemovedWithTheAssociation() throws {
        let peer = try LoopbackSocket(.ipv4)
        let socket = try Socket(.udp(.ipv4))
        _ = try socket.connect(to: .ip(peer.endpoint))
        #expect(try localName(of: socket).port != 0)
        try socket.dissolve()
        #expect(try localName(of: socket).port == 0)
    }

    @Test func unixDatagramSocketsCanChangeAndRemoveTheirAssociation() throws {
        let directory = try TemporaryDirectory()
        let one = try UnixPeer(.dgram, at: directory.address("one"))
        let two = try UnixPeer(.dgram, at: directory.address("two"))
        let own = try UnixPeer(.dgram, at: directory.address("own"))
        func connect(_ peer: borrowing UnixPeer) throws {
            #expect(try own.socket.connect(to: .unix(peer.address)) == .complete)
        }

        try connect(one)
        #expect(try own.socket.send([1][...]) == 1)
        #expect(try one.socket.receive(atMost: 10) == [1])
        // It receives only from its peer; other senders get an error.
        #expect(errnoOfConnect(two.socket.number, to: own.address) == Errno(EPERM))

        try connect(two)
        #expect(try own.socket.send([2][...]) == 1)
        #expect(try two.socket.receive(atMost: 10) == [2])
        #expect(errnoOfConnect(one.socket.number, to: own.address) == Errno(EPERM))

        try own.socket.dissolve()
        #expect(errno { () throws(Errno) in _ = try own.socket.send([3][...]) } == Errno(ENOTCONN))
        #expect(errnoOfConnect(one.socket.number, to: own.address) == nil)
        #expect(errnoOfConnect(two.socket.number, to: own.address) == nil)
        #expect(try two.socket.send([4][...]) == 1)
        #expect(try own.socket.receive(atMost: 10) == [4])
    }
}
