import CLinux
import NetworkTypes
import SocketIO
import Testing

/// Connects in progress: EINPROGRESS, EALREADY, EINTR, and how they end.
@Suite struct ConnectInProgressTests {
    @Test func aNonBlockingConnectIsInProgressAndASecondFailsWithEALREADY() throws {
        let full = try FullListener()
        let socket = try Socket(.tcp(.ipv4))
        #expect(errnoOfConnect(socket.number, to: full.listener.endpoint) == Errno(EINPROGRESS))
        #expect(errnoOfConnect(socket.number, to: full.listener.endpoint) == Errno(EALREADY))
        #expect(socket.peerName() == nil)
        #expect(socket.tcpInformation()?.isEstablished == false)
    }

    @Test func connectReportsInProgressAndReadinessWithSocketErrorReportsTheResult() throws {
        let full = try FullListener()
        let socket = try Socket(.tcp(.ipv4))
        #expect(try socket.connect(to: full.endpoint) == .inProgress)
        try full.makeRoom()
        #expect(waits(for: POLLOUT, on: socket.number))
        #expect(try socket.takePendingError() == nil)
        #expect(socket.peerName() == full.listener.endpoint)
    }

    @Test func connectJoinsAConnectInProgress() throws {
        let full = try FullListener()
        let socket = try Socket(.tcp(.ipv4))
        #expect(try socket.connect(to: full.endpoint) == .inProgress)
        let early = errno { () throws(Errno) in
            try BlockingConnect.connect(socket, to: full.endpoint, timeoutMilliseconds: 0)
        }
        #expect(early == Errno(EINPROGRESS))
        try full.makeRoom()
        try BlockingConnect.connect(socket, to: full.endpoint)
        #expect(socket.tcpInformation()?.isEstablished == true)
    }

    @Test func aSocketThatNeverConnectedIsNotReportedAsConnected() throws {
        let socket = try Socket(.tcp(.ipv4))
        #expect(errno { () throws(Errno) in try BlockingConnect.finish(socket) } == Errno(ENOTCONN))
    }

    @Test func aSignalInterruptsWithEINTRAndTheAttemptContinues() throws {
        let full = try FullListener()
        let endpoint = full.listener.endpoint
        let socket = try Socket(.tcp(.ipv4), nonBlocking: false)
        let number = socket.number
        #expect(try SignaledThread.run { errnoOfConnect(number, to: endpoint) } == .some(Errno(EINTR)))
        // A second blocking call would wait on Linux. A non-blocking call returns what the manual page documents.
        #expect(connectd_set_nonblocking(number) == 0)
        #expect(errnoOfConnect(number, to: endpoint) == Errno(EALREADY))
        try full.makeRoom()
        try BlockingConnect.finish(socket)
        #expect(socket.peerName() == endpoint)
    }

    @Test func connectReportsAnInterruptionAsInProgress() throws {
        let full = try FullListener()
        let endpoint = full.endpoint
        let shared = SharedSocket(try Socket(.tcp(.ipv4), nonBlocking: false))
        let start = try SignaledThread.run { Result { try shared.socket.connect(to: endpoint) } }
        #expect(try start.get() == .inProgress)
        try full.makeRoom()
        try BlockingConnect.finish(shared.socket)
        #expect(shared.socket.peerName() == full.listener.endpoint)
    }

    @Test func aBlockingConnectNeverReportsEINTR() throws {
        let full = try FullListener()
        let endpoint = full.endpoint
        let shared = SharedSocket(try Socket(.tcp(.ipv4), nonBlocking: false))
        let error = try SignaledThread.run(
            betweenSignals: { if $0 == 20 { try full.makeRoom() } },
            { errno { () throws(Errno) in try BlockingConnect.connect(shared.socket, to: endpoint) } })
        #expect(error == nil)
        #expect(shared.socket.peerName() == full.listener.endpoint)
    }

    @Test func signalsDoNotExtendTheTimeoutOfABlockingConnect() throws {
        let full = try FullListener()
        let endpoint = full.endpoint
        let shared = SharedSocket(try Socket(.tcp(.ipv4), nonBlocking: false))
        // If each signal restarted the whole timeout, this would end with the kernel's own ETIMEDOUT.
        let error = try SignaledThread.run {
            errno { () throws(Errno) in
                try BlockingConnect.connect(shared.socket, to: endpoint, timeoutMilliseconds: 100)
            }
        }
        #expect(error == .some(Errno(EINPROGRESS)))
    }

    @Test func anInterruptedUnixConnectIsNotInProgress() throws {
        let directory = try TemporaryDirectory()
        let peer = try UnixPeer(.stream, at: directory.address("socket"), backlog: 0)
        let filler = try Socket(.unix(.stream))
        #expect(try filler.connect(to: .unix(peer.address)) == .complete)
        let address = peer.address
        let shared = SharedSocket(try Socket(.unix(.stream), nonBlocking: false))
        let first = try SignaledThread.run { errnoOfConnect(shared.socket.number, to: address) }
        #expect(first == .some(Errno(EINTR)))
        let ours = try SignaledThread.run {
            errno { () throws(Errno) in _ = try shared.socket.connect(to: .unix(address)) }
        }
        #expect(ours == .some(Errno(EINTR)))
        // No connect is in progress: the call is repeated until there is room.
        let error = try SignaledThread.run(
            betweenSignals: { if $0 == 20 { _ = try peer.accept() } },
            { errno { () throws(Errno) in try BlockingConnect.connect(shared.socket, to: .unix(address)) } })
        #expect(error == nil)
    }
}
