import CLinux
import NetworkTypes
import SocketIO
import Testing

/// Socket options, set through our functions and read back from the kernel.
@Suite struct SocketOptionsTests {
    private let ip = Int32(IPPROTO_IP)
    private let ipv6 = Int32(IPPROTO_IPV6)
    private let tcp = Int32(IPPROTO_TCP)

    @Test(arguments: [1, 64, 255]) func timeToLive(hops: Int) throws {
        let v4 = try Socket(.tcp(.ipv4))
        try v4.setTimeToLive(hops)
        #expect(try option(v4.number, ip, IP_TTL) == Int32(hops))
        let v6 = try Socket(.udp(.ipv6))
        try v6.setTimeToLive(hops)
        #expect(try option(v6.number, ipv6, IPV6_UNICAST_HOPS) == Int32(hops))
    }

    @Test(arguments: [0, 256]) func aTimeToLiveOutOfRangeFailsWithEINVAL(hops: Int) throws {
        let socket = try Socket(.tcp(.ipv4))
        #expect(errno { () throws(Errno) in try socket.setTimeToLive(hops) } == Errno(EINVAL))
    }

    @Test(arguments: [0, 46, 63]) func codePoint(codePoint: Int) throws {
        let v4 = try Socket(.udp(.ipv4))
        try v4.setCodePoint(codePoint)
        #expect(try option(v4.number, ip, IP_TOS) == Int32(codePoint << 2))
        let v6 = try Socket(.tcp(.ipv6))
        try v6.setCodePoint(codePoint)
        #expect(try option(v6.number, ipv6, IPV6_TCLASS) == Int32(codePoint << 2))
    }

    @Test(arguments: [0, 7, .max] as [UInt32]) func mark(mark: UInt32) throws {
        let socket = try Socket(.tcp(.ipv4))
        let error = errno { () throws(Errno) in try socket.setMark(mark) }
        if geteuid() == 0 {
            #expect(error == nil)
            #expect(UInt32(bitPattern: try option(socket.number, SOL_SOCKET, SO_MARK)) == mark)
        } else {
            #expect(error == Errno(EPERM))
        }
    }

    @Test func interface() throws {
        let socket = try Socket(.tcp(.ipv4))
        try socket.bindToInterface("lo")
        var name = [UInt8](repeating: 0, count: Int(IF_NAMESIZE))
        var length = socklen_t(name.count)
        #expect(getsockopt(socket.number, SOL_SOCKET, SO_BINDTODEVICE, &name, &length) == 0)
        #expect(name.prefix { $0 != 0 } == Array("lo".utf8)[...])
        let other = try Socket(.tcp(.ipv4))
        #expect(errno { () throws(Errno) in try other.bindToInterface("nowhere0") } == Errno(ENODEV))
    }

    @Test func optionsOfTCP() throws {
        let socket = try Socket(.tcp(.ipv4))
        try socket.setSynRetries(3)
        #expect(try option(socket.number, tcp, TCP_SYNCNT) == 3)
        try socket.setFastOpen()
        #expect(try option(socket.number, tcp, TCP_FASTOPEN_CONNECT) == 1)
        try socket.setBindsAddressOnly()
        #expect(try option(socket.number, ip, IP_BIND_ADDRESS_NO_PORT) == 1)
        for count in [0, 128] {
            #expect(errno { () throws(Errno) in try socket.setSynRetries(count) } == Errno(EINVAL))
        }
    }

    @Test func theErrorQueueCanBeEnabledAndDisabled() throws {
        for (kind, level, name) in [
            (SocketKind.tcp(.ipv4), ip, IP_RECVERR), (.udp(.ipv6), ipv6, IPV6_RECVERR),
        ] {
            let socket = try Socket(kind)
            try socket.setReceivesErrors(true)
            #expect(try option(socket.number, level, name) == 1)
            try socket.setReceivesErrors(false)
            #expect(try option(socket.number, level, name) == 0)
        }
    }

    @Test func bindingOnlyTheAddressLeavesThePortToConnect() throws {
        let listener = try Listener()
        let socket = try Socket(.tcp(.ipv4))
        try socket.setBindsAddressOnly()
        try socket.bind(to: loopback())
        #expect(socket.localName() == loopback())
        try BlockingConnect.connect(socket, to: .ip(listener.endpoint))
        #expect(try localName(of: socket).port != 0)
    }

    @Test func aSocketWithResetOnCloseSendsAReset() throws {
        let listener = try Listener()
        let accepted = try connectAndClose(listener, resets: true)
        var byte: UInt8 = 0
        #expect(recv(accepted.rawValue, &byte, 1, 0) == -1)
        #expect(Errno.current == Errno(ECONNRESET))
        let orderly = try connectAndClose(listener, resets: false)
        #expect(recv(orderly.rawValue, &byte, 1, 0) == 0)
    }

    private func connectAndClose(_ listener: borrowing Listener, resets: Bool) throws -> Descriptor {
        let socket = try Socket(.tcp(.ipv4))
        try BlockingConnect.connect(socket, to: .ip(listener.endpoint))
        if resets { try socket.setResetsOnClose() }
        return try listener.accept()
    }

    @Test(arguments: [0, 81]) func anMD5KeyOutOfRangeIsRefused(count: Int) throws {
        let socket = try Socket(.tcp(.ipv4))
        let key = [UInt8](repeating: 1, count: count)
        let error = errno { () throws(Errno) in try socket.setMD5Key(key, for: loopback(port: 179)) }
        // Setting no key removes the peer's key. It has none: ENOENT. A kernel without the option: ENOPROTOOPT.
        #expect([Errno(EINVAL), Errno(ENOENT), Errno(ENOPROTOOPT)].contains(error))
    }

    @Test func writingAfterAResetFailsWithEPIPEWithoutASignal() throws {
        let listener = try Listener()
        let socket = try Socket(.tcp(.ipv4))
        try BlockingConnect.connect(socket, to: .ip(listener.endpoint))
        shutdown(socket.number, Int32(SHUT_WR))
        #expect(errno { () throws(Errno) in _ = try socket.send([1][...]) } == Errno(EPIPE))
        #expect(errno { () throws(Errno) in _ = try socket.receive(atMost: 1) } == Errno(EAGAIN))
    }

    @Test func sentBytesAreReceivedAndEOFIsEmpty() throws {
        let listener = try Listener()
        let socket = try Socket(.tcp(.ipv4))
        try BlockingConnect.connect(socket, to: .ip(listener.endpoint))
        #expect(try send("hello", from: listener, to: socket) == Array("hello".utf8))
        #expect(waits(for: POLLIN, on: socket.number))
        #expect(try socket.receive(atMost: 100) == [])
        #expect(try socket.receive(atMost: 0) == [])
    }

    private func send(
        _ text: String, from listener: borrowing Listener, to socket: borrowing Socket
    ) throws -> [UInt8] {
        let accepted = try listener.accept()
        let bytes = Array(text.utf8)
        #expect(CLinux.send(accepted.rawValue, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
        #expect(waits(for: POLLIN, on: socket.number))
        return try socket.receive(atMost: 100)
    }
}
