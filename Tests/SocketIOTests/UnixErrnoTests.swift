import CLinux
import NetworkTypes
import SocketIO
import Testing

/// Errors of connect(2) on UNIX-domain sockets.
@Suite struct UnixErrnoTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func error(_ type: UnixSocketType = .stream, to address: UnixAddress) throws -> Errno? {
        let socket = try Socket(.unix(type))
        return errno { () throws(Errno) in _ = try socket.connect(to: .unix(address)) }
    }

    @Test func missingNamesAndDanglingLinksFailWithENOENT() throws {
        try directory.link("dangling", to: "nowhere")
        #expect(try error(to: directory.address("missing")) == Errno(ENOENT))
        #expect(try error(to: directory.address("dangling")) == Errno(ENOENT))
        #expect(try error(to: directory.address("missing/socket")) == Errno(ENOENT))
    }

    @Test func aPathBelowASocketFailsWithENOTDIR() throws {
        let peer = try UnixPeer(.stream, at: directory.address("socket"))
        #expect(try error(to: directory.address("socket/x")) == Errno(ENOTDIR))
        _ = consume peer
    }

    @Test func aCycleOfLinksFailsWithELOOP() throws {
        try directory.link("one", to: "two")
        try directory.link("two", to: "one")
        #expect(try error(to: directory.address("one")) == Errno(ELOOP))
    }

    @Test(arguments: [108, 109, 4096, 70_000]) func aPathOfMoreThan107BytesIsNotTruncated(count: Int) throws {
        // A socket with the first 107 bytes as its path exists, and would answer.
        let answering = padded(to: 107)
        let peer = try UnixPeer(.stream, at: .path(answering))
        #expect(try error(to: .path(answering)) == nil)
        #expect(
            try error(to: .path(answering + Array(repeating: UInt8(ascii: "x"), count: count - 107)))
                == Errno(ENAMETOOLONG))
        _ = consume peer
    }

    private func padded(to count: Int) -> [UInt8] {
        let start = Array((directory.path + "/").utf8)
        return start + Array(repeating: UInt8(ascii: "x"), count: count - start.count)
    }

    @Test func aLinkToAComponentOf256BytesFailsWithENAMETOOLONG() throws {
        try directory.link("long", to: String(repeating: "x", count: 256))
        #expect(try error(to: directory.address("long")) == Errno(ENAMETOOLONG))
    }

    @Test func anAbstractNameHasAtMost107Bytes() throws {
        let name = padded(to: 107)
        let peer = try UnixPeer(.stream, at: .abstract(name))
        #expect(try error(to: .abstract(name)) == nil)
        #expect(try error(to: .abstract(name.dropLast())) == Errno(ECONNREFUSED))
        #expect(try error(to: .abstract(name + [0x78])) == Errno(ENAMETOOLONG))
        _ = consume peer
    }

    @Test func aNULInAPathAndAnEmptyPathDoNotBecomeAbstractNames() throws {
        let name = Array(directory.path.utf8) + [0, 1]
        let peer = try UnixPeer(.stream, at: .abstract(name))
        #expect(try error(to: .path([0] + name)) == Errno(EINVAL))
        #expect(try error(to: .path(name)) == Errno(EINVAL))
        #expect(try error(to: .path([])) == Errno(ENOENT))
        _ = consume peer
    }

    @Test func namesWithoutAListenerFailWithECONNREFUSED() throws {
        _ = try UnixPeer(.stream, at: directory.address("stale"))
        #expect(try error(to: directory.address("stale")) == Errno(ECONNREFUSED))
        #expect(try error(to: .path(Array(directory.path.utf8))) == Errno(ECONNREFUSED))
        #expect(try error(to: .path(Array("/etc/passwd".utf8))) == Errno(ECONNREFUSED))
        #expect(try error(to: .abstract(Array(directory.path.utf8))) == Errno(ECONNREFUSED))
    }

    @Test func aSocketOfAnotherTypeFailsWithEPROTOTYPE() throws {
        let peer = try UnixPeer(.stream, at: directory.address("stream"))
        #expect(try error(.dgram, to: peer.address) == Errno(EPROTOTYPE))
        #expect(try error(.seqpacket, to: peer.address) == Errno(EPROTOTYPE))
        let datagrams = try UnixPeer(.dgram, at: directory.address("dgram"))
        #expect(try error(.stream, to: datagrams.address) == Errno(EPROTOTYPE))
    }

    @Test(arguments: [UnixSocketType.stream, .seqpacket]) func aFullBacklogFailsWithEAGAIN(type: UnixSocketType) throws
    {
        let peer = try UnixPeer(type, at: directory.address("socket"), backlog: 0)
        let filler = try Socket(.unix(type))
        #expect(try filler.connect(to: .unix(peer.address)) == .complete)
        let socket = try Socket(.unix(type))
        let address = peer.address
        #expect(errno { () throws(Errno) in _ = try socket.connect(to: .unix(address)) } == Errno(EAGAIN))
        // No connect is in progress after that: once the backlog has room, the same socket connects.
        _ = try peer.accept()
        #expect(try socket.connect(to: .unix(address)) == .complete)
        _ = try peer.accept()
        #expect(errno { () throws(Errno) in _ = try socket.connect(to: .unix(address)) } == Errno(EISCONN))
    }

    @Test func aListeningSocketFailsWithEINVAL() throws {
        let one = try UnixPeer(.stream, at: directory.address("one"))
        let two = try UnixPeer(.stream, at: directory.address("two"))
        #expect(errnoOfConnect(one.socket.number, to: two.address) == Errno(EINVAL))
    }

    @Test func aDatagramPeerAssociatedElsewhereFailsWithEPERM() throws {
        let one = try UnixPeer(.dgram, at: directory.address("one"))
        let two = try UnixPeer(.dgram, at: directory.address("two"))
        #expect(errnoOfConnect(one.socket.number, to: two.address) == nil)
        #expect(try error(.dgram, to: one.address) == Errno(EPERM))
    }

    @Test func anInternetAddressFailsWithEINVAL() throws {
        // Not EAFNOSUPPORT: unix(7) documents EINVAL for an address family other than AF_UNIX.
        let socket = try Socket(.unix(.stream))
        #expect(errnoOfConnect(socket.number, to: loopback(port: 9)) == Errno(EINVAL))
    }
}
