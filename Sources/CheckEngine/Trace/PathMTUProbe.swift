internal import CLinux
internal import CheckModel
internal import NetworkTypes
internal import SocketIO

/// Finds the path MTU with datagrams that routers may not fragment: a router whose next link is smaller reports it.
///
/// The datagrams consist of zeros. They have the target's address and port, but always use UDP.
struct PathMTUProbe {
    private let probe: TraceProbe
    private let reactor: Reactor
    private let ttl: Int
    private let deadline: MonotonicTime
    private let patience: Int64

    /// What a router reported.
    struct Finding {
        let value: Int
        let from: IPAddress

        func report(among hops: [TraceHop]) -> PathMTU {
            let hop = hops.first { $0.from == from } ?? hops.first { $0.others.contains(from) }
            return PathMTU(value: value, from: from, ttl: hop?.ttl)
        }
    }

    /// Each link of a path may be smaller than the one before it.
    private static let mostSteps = 6
    private static let largestPayload = 65_507

    /// Returns nil if nothing may or can be learned: without time left, without any answer from the path, if the policy
    /// denies UDP to the address, and for an address of this machine.
    /// - Parameter ttl: of the datagrams: that of the last hop that answered.
    init?(of trace: Trace, ttl: Int) {
        let endpoint = trace.endpoint
        guard ttl > 0, !trace.isOver, trace.plan.allows(endpoint, .udp), !LocalAddresses.contains(endpoint.address)
        else { return nil }
        probe = TraceProbe(trace.plan, endpoint: endpoint, overUDP: true)
        reactor = trace.plan.reactor
        deadline = trace.deadline
        patience = min(2 * (trace.slowestNanoseconds ?? 0) + 50_000_000, Trace.longestPatience)
        self.ttl = ttl
    }

    /// Returns the smallest MTU that a router reported; nil if none did.
    func run() async -> Finding? {
        do throws(Errno) {
            let socket = try Socket(.udp(probe.endpoint.address.family))
            try probe.prepare(socket, ttl: ttl, from: 0)
            try socket.setProbesPathMTU()
            _ = try socket.connect(to: .ip(probe.endpoint))
            guard let size = deviceMTU(of: socket) else { return nil }
            let token = try reactor.addOnThread(socket.number, for: .anything)
            defer { reactor.removeOnThread(token) }
            return await search(from: size, on: socket, token)
        } catch {
            return nil
        }
    }

    /// The kernel tells it when a datagram is larger, and then sends nothing.
    private func deviceMTU(of socket: borrowing Socket) -> Int? {
        do throws(Errno) {
            _ = try socket.send([UInt8](repeating: 0, count: Self.largestPayload)[...])
            return nil
        } catch {
            return error.rawValue == EMSGSIZE ? socket.takeDeviceMTU() : nil
        }
    }

    private func search(from size: Int, on socket: borrowing Socket, _ token: SlotToken) async -> Finding? {
        var found: Finding?
        var size = size
        for _ in 0..<Self.mostSteps {
            // An error of the previous datagram would end the next call.
            _ = try? socket.takePendingError()
            let payload = [UInt8](repeating: 0, count: size - headerLength)
            guard (try? socket.send(payload[...])) != nil else { break }
            let end = min(Clock.now().advanced(byNanoseconds: patience), deadline)
            guard await reactor.waitOnThread(token, for: .readable, until: end) == .ready,
                let (_, icmp, mtu) = socket.takeICMPWithMTU(), (Self.smallestMTU..<size).contains(mtu)
            else { break }
            found = Finding(value: mtu, from: icmp.from)
            size = mtu
        }
        return found
    }

    /// Of the IP and UDP headers.
    private var headerLength: Int { probe.endpoint.address.family == .ipv4 ? 28 : 48 }

    /// RFC 791. A forged message must not make a datagram without room for its headers.
    private static let smallestMTU = 68
}
