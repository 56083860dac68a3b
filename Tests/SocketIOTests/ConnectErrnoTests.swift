import CLinux
import NetworkTypes
import SocketIO
import Testing

/// Errors of connect(2) on internet sockets. Each test provokes one in the kernel.
@Suite struct ConnectErrnoTests {
    @Test(arguments: [-1, 1_000_000] as [Int32]) func aNumberThatIsNotADescriptorFailsWithEBADF(number: Int32) {
        #expect(errnoOfConnect(number, to: loopback(port: 9)) == Errno(EBADF))
        #expect(throws: Errno(EBADF)) { try SystemCall.takePendingError(number) }
    }

    @Test func anOPathDescriptorFailsWithEBADF() throws {
        let descriptor = try Descriptor.openPath(Array("/tmp".utf8))
        #expect(errnoOfConnect(descriptor.rawValue, to: loopback(port: 9)) == Errno(EBADF))
    }

    @Test func aFileFailsWithENOTSOCK() throws {
        let descriptor = try Descriptor.openForReading(Array("/etc/passwd".utf8))
        #expect(errnoOfConnect(descriptor.rawValue, to: loopback(port: 9)) == Errno(ENOTSOCK))
        let number = descriptor.rawValue
        #expect(throws: Errno(ENOTSOCK)) { try SystemCall.takePendingError(number) }
    }

    @Test func anAddressOutsideTheAddressSpaceFailsWithEFAULT() throws {
        let socket = try Socket(.tcp(.ipv4))
        let number = socket.number
        #expect(throws: Errno(EFAULT)) {
            try SystemCall.connect(number, to: UnsafePointer(bitPattern: 1), length: 16)
        }
        #expect(throws: Errno(EFAULT)) { try SystemCall.connect(number, to: nil, length: 16) }
    }

    @Test(arguments: [socklen_t.max, 0, 1, 4, 129], [AddressFamily.ipv4, .ipv6])
    func aWrongLengthFailsWithEINVAL(length: socklen_t, family: AddressFamily) throws {
        let socket = try Socket(.tcp(family))
        let number = socket.number
        // Room for the longest length that the kernel reads.
        var bytes = [UInt8](repeating: 0, count: 129)
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: sa_family_t(socket.kind.domain), as: sa_family_t.self) }
        let error = bytes.withUnsafeBytes { bytes in
            errno { () throws(Errno) in
                let name = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
                try SystemCall.connect(number, to: name, length: length)
            }
        }
        #expect(error == Errno(EINVAL))
    }

    @Test func anAddressOfAnotherFamilyFailsWithEAFNOSUPPORT() throws {
        // The kernel checks the length first: an IPv4 address is too short for an IPv6 socket.
        let ipv6 = try Socket(.tcp(.ipv6))
        #expect(errnoOfConnect(ipv6.number, to: loopback(.ipv4, port: 9)) == Errno(EINVAL))
        #expect(Self.errnoOfPaddedConnect(ipv6.number) == Errno(EAFNOSUPPORT))
        let ipv4 = try Socket(.tcp(.ipv4))
        #expect(errnoOfConnect(ipv4.number, to: loopback(.ipv6, port: 9)) == Errno(EAFNOSUPPORT))
        let unix = UnixAddress.path(Array("/run/a-name-longer-than-an-internet-address".utf8))
        #expect(errnoOfConnect(ipv4.number, to: unix) == Errno(EAFNOSUPPORT))
        let datagrams = try Socket(.udp(.ipv4))
        #expect(errnoOfConnect(datagrams.number, to: loopback(.ipv6, port: 9)) == Errno(EAFNOSUPPORT))
    }

    /// An IPv4 address with the length of an IPv6 address.
    private static func errnoOfPaddedConnect(_ number: Int32) -> Errno? {
        var bytes = [UInt8](repeating: 0, count: 28)
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: sa_family_t(AF_INET), as: sa_family_t.self) }
        return bytes.withUnsafeBytes { bytes in
            errno { () throws(Errno) in
                let name = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
                try SystemCall.connect(number, to: name, length: socklen_t(bytes.count))
            }
        }
    }

    @Test func aLinkLocalAddressWithoutAScopeFailsWithEINVAL() throws {
        let address = try #require(IPv6Address(parsing: "fe80::1"))
        let socket = try Socket(.tcp(.ipv6))
        #expect(
            errnoOfConnect(socket.number, to: IPEndpoint(address: .v6(address), port: 9)) == Errno(EINVAL))
    }

    @Test(arguments: AddressFamily.allCases) func aSecondConnectOfAStreamFailsWithEISCONN(family: AddressFamily) throws
    {
        let listener = try Listener(family)
        let socket = try Socket(.tcp(family), nonBlocking: false)
        try BlockingConnect.connect(socket, to: .ip(listener.endpoint))
        #expect(socket.peerName() == listener.endpoint)
        #expect(errnoOfConnect(socket.number, to: listener.endpoint) == Errno(EISCONN))
    }

    @Test func aListeningSocketFailsWithEISCONN() throws {
        let listener = try Listener()
        #expect(errnoOfConnect(listener.socket.number, to: loopback(port: 9)) == Errno(EISCONN))
    }

    @Test(arguments: AddressFamily.allCases)
    func aPortWithoutAListenerFailsWithECONNREFUSED(family: AddressFamily) throws {
        // Bound, but not listening: no other process can get the port.
        let bound = try Socket(.tcp(family))
        try bound.bind(to: loopback(family))
        let endpoint = try localName(of: bound)
        let socket = try Socket(.tcp(family))
        let error = errno { () throws(Errno) in try BlockingConnect.connect(socket, to: .ip(endpoint)) }
        #expect(error == Errno(ECONNREFUSED))
    }

    @Test func aConnectionResetByThePeerHasECONNRESET() throws {
        let listener = try Listener()
        let socket = try Socket(.tcp(.ipv4))
        try BlockingConnect.connect(socket, to: .ip(listener.endpoint))
        try Self.reset(listener.accept())
        #expect(waits(for: POLLIN, on: socket.number))
        #expect(try socket.takePendingError() == Errno(ECONNRESET))
        #expect(try socket.takePendingError() == nil)
    }

    /// SO_LINGER {1, 0}, then close.
    private static func reset(_ descriptor: consuming Descriptor) throws {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        #expect(setsockopt(descriptor.rawValue, SOL_SOCKET, SO_LINGER, &value, size) == 0)
    }

    @Test func aBroadcastAddressFailsWithEACCESForDatagramsAndENETUNREACHForStreams() throws {
        let broadcast = IPEndpoint(address: .v4(IPv4Address(bits: 0x7FFF_FFFF)), port: 9)
        let datagrams = try Socket(.udp(.ipv4))
        #expect(errnoOfConnect(datagrams.number, to: broadcast) == Errno(EACCES))
        // The manual page documents EINVAL here; Linux returns ENETUNREACH.
        let stream = try Socket(.tcp(.ipv4))
        #expect(errnoOfConnect(stream.number, to: broadcast) == Errno(ENETUNREACH))
    }

    @Test func theSamePairOfAddressesFailsWithEADDRNOTAVAIL() throws {
        let listener = try Listener()
        let first = try Socket(.tcp(.ipv4))
        try SystemCall.setOption(first.number, level: SOL_SOCKET, name: SO_REUSEADDR, value: 1)
        try first.bind(to: loopback())
        let local = try localName(of: first)
        let second = try Socket(.tcp(.ipv4))
        try SystemCall.setOption(second.number, level: SOL_SOCKET, name: SO_REUSEADDR, value: 1)
        try second.bind(to: local)
        try BlockingConnect.connect(first, to: .ip(listener.endpoint))
        #expect(errnoOfConnect(second.number, to: listener.endpoint) == Errno(EADDRNOTAVAIL))
    }

    @Test func bindDistinguishesAPortInUseFromAForeignAddress() throws {
        let listener = try Listener()
        let socket = try Socket(.tcp(.ipv4))
        let endpoint = listener.endpoint
        #expect(errno { () throws(Errno) in try socket.bind(to: endpoint) } == Errno(EADDRINUSE))
        // TEST-NET-1, RFC 5737: never assigned.
        let foreign = IPEndpoint(address: .v4(IPv4Address(bits: 0xC000_0201)), port: 0)
        #expect(errno { () throws(Errno) in try socket.bind(to: foreign) } == Errno(EADDRNOTAVAIL))
    }

    @Test func aSelfConnectionHasTheSameAddressAtBothEnds() throws {
        let socket = try Socket(.tcp(.ipv4))
        try socket.bind(to: loopback())
        let own = try localName(of: socket)
        try BlockingConnect.connect(socket, to: .ip(own))
        #expect(socket.peerName() == socket.localName())
    }
}
