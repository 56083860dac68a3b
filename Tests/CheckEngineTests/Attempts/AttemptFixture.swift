import AccessPolicy
import CLinux
@testable import CheckEngine
import CheckModel
import DNS
import Dialog
import NetworkTypes
import SocketIO
import TLS

/// The dependencies of attempts, on a reactor with its own thread.
struct AttemptFixture: Sendable {
    let reactor: Reactor
    let admission: Admission
    let contexts: TLSContexts
    let resolver: Resolver

    func plan(_ request: CheckRequest, dialog: Dialog? = nil, policy: Policy? = nil) -> AttemptPlan {
        AttemptPlan(
            PreparedCheck(request: request, dialog: dialog), in: CheckContext(policy: policy), reactor: reactor,
            contexts: contexts, admission: admission, start: Clock.now())
    }

    func attempt(_ request: CheckRequest, on endpoint: Endpoint, milliseconds: Int = 5000) async -> AttemptOutcome {
        await ConnectAttempt(plan: plan(request), endpoint: endpoint, deadline: .after(milliseconds)).run()
    }
}

/// Runs `body` as a task on the thread of a fixture's reactor, as workers run checks.
func withAttempts<Result: Sendable>(
    admission: Admission = Admission(limit: 100, queueLimit: 0),
    _ body: @escaping @Sendable (AttemptFixture) async throws -> Result
) async throws -> Result {
    let reactor = try Reactor(thread: ReactorThread(index: 0))
    let thread = try WorkerThread(running: reactor)
    let fixture = AttemptFixture(
        reactor: reactor, admission: admission, contexts: TLSContexts(reactor: reactor),
        resolver: Resolver(reactor: reactor))
    let result = await Task(executorPreference: reactor.thread) { try await body(fixture) }.result
    thread.stopAndJoin()
    return try result.get()
}

extension MonotonicTime {
    static func after(_ milliseconds: Int) -> MonotonicTime { Clock.now().advanced(byMilliseconds: milliseconds) }
}

extension Endpoint {
    /// The target of a request that connects to this endpoint.
    var target: Target {
        get throws {
            guard case .ip(let endpoint) = self else { throw Errno(EAFNOSUPPORT) }
            return try Target(parsing: "127.0.0.1:\(endpoint.port)")
        }
    }
}

/// A TCP socket on loopback. It is an object so that tasks can share it.
final class LoopbackPeer: Sendable {
    let socket: Socket
    let endpoint: Endpoint

    /// - Parameter backlog: nil for a port that refuses connections.
    init(backlog: Int32?) throws {
        let socket = try Socket(.tcp(.ipv4))
        try socket.bind(to: IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0))
        if let backlog, listen(socket.number, backlog) != 0 { throw Errno.current }
        guard let name = socket.localName() else { throw Errno(EINVAL) }
        endpoint = .ip(name)
        self.socket = socket
    }

    /// A peer that accepts connections into its backlog.
    static func open() throws -> LoopbackPeer { try LoopbackPeer(backlog: 16) }

    /// A port that refuses connections, and that no other process can take.
    static func closed() throws -> LoopbackPeer { try LoopbackPeer(backlog: nil) }

    /// accept(2) and recv(2), after the other side has closed.
    /// - Returns: nil at EOF, otherwise the errno.
    func errnoOfFirstRead() -> Errno? {
        var entry = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 5000) == 1 else { return Errno(ETIMEDOUT) }
        let connection = Descriptor(adopting: accept(socket.number, nil, nil))
        var byte: UInt8 = 0
        return recv(connection.rawValue, &byte, 1, 0) == 0 ? nil : Errno.current
    }
}

/// A listener with a full backlog. The kernel drops further SYNs, as if the host were down.
final class SilentPeer: Sendable {
    private let peer: LoopbackPeer
    private let filler: Socket

    init() throws {
        peer = try LoopbackPeer(backlog: 0)
        filler = try Socket(.tcp(.ipv4), nonBlocking: false)
        try BlockingConnect.connect(filler, to: peer.endpoint)
        var entry = pollfd(fd: peer.socket.number, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, 5000)
    }

    var endpoint: Endpoint { peer.endpoint }
}
