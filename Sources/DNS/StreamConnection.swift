internal import CLinux
internal import NetworkTypes
internal import SocketIO

/// Why a query over TCP failed.
enum StreamFailure: Error {
    case kernel(Errno)
    /// The server closed the connection before its answer was complete.
    case closed
    case deadline, cancelled
}

/// A TCP connection to a name server for consecutive queries (RFC 7766). Use it only on the reactor's thread.
final class StreamConnection {
    private let socket: Socket
    private let token: SlotToken
    private let reactor: Reactor
    private var isConnected: Bool
    private var received: [UInt8] = []

    init(to server: IPEndpoint, on reactor: Reactor) throws(Errno) {
        let socket = try Socket(.tcp(server.address.family))
        isConnected =
            switch try socket.connect(to: .ip(server)) {
            case .complete: true
            case .inProgress: false
            }
        token = try reactor.addOnThread(socket.number, for: .anything)
        self.socket = socket
        self.reactor = reactor
    }

    deinit {
        reactor.removeOnThread(token)
    }

    /// Whether the server has sent unexpected data.
    var hasLeftovers: Bool { !received.isEmpty }

    /// Sends a query, and waits for the next message.
    /// - Parameter query: The message after its two bytes of length.
    /// - Returns: The message without its length.
    func ask(_ query: [UInt8], until deadline: MonotonicTime) async throws(StreamFailure) -> [UInt8] {
        try await finishConnect(until: deadline)
        var rest = query[...]
        while !rest.isEmpty {
            guard let count = try attempt({ () throws(Errno) in try socket.send(rest) }) else {
                try await wait(for: .writable, until: deadline)
                continue
            }
            rest = rest.dropFirst(count)
        }
        let length = try await take(2, until: deadline)
        return try await take(Int(length[0]) << 8 | Int(length[1]), until: deadline)
    }

    private func finishConnect(until deadline: MonotonicTime) async throws(StreamFailure) {
        guard !isConnected else { return }
        try await wait(for: .writable, until: deadline)
        if let error = try attempt({ () throws(Errno) in try socket.takePendingError() }) ?? nil {
            throw .kernel(error)
        }
        isConnected = true
    }

    private func take(_ count: Int, until deadline: MonotonicTime) async throws(StreamFailure) -> [UInt8] {
        while received.count < count {
            guard let bytes = try attempt({ () throws(Errno) in try socket.receive(atMost: 16_384) }) else {
                try await wait(for: .readable, until: deadline)
                continue
            }
            guard !bytes.isEmpty else { throw .closed }
            received += bytes
        }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    /// - Returns: nil if the socket is not ready.
    private func attempt<Value>(_ call: () throws(Errno) -> Value) throws(StreamFailure) -> Value? {
        while true {
            do throws(Errno) {
                return try call()
            } catch {
                if error.rawValue == EAGAIN { return nil }
                if error.rawValue != EINTR { throw .kernel(error) }
            }
        }
    }

    private func wait(for interest: Readiness, until deadline: MonotonicTime) async throws(StreamFailure) {
        switch await reactor.waitOnThread(token, for: interest, until: deadline) {
        case .ready: return
        case .deadline: throw .deadline
        case .cancelled: throw .cancelled
        }
    }
}

/// The queries to one name server over TCP: a few connections, each for consecutive queries.
struct StreamQueue {
    /// Name servers limit how many connections they accept, some to 20.
    static let largestConnectionCount = 8

    private struct Connection {
        var task: Task<Void, Never>?
        var question: Int?
    }

    private var waiting: [TryContext] = []
    /// The number of queries taken from `waiting`.
    private var taken = 0
    private var connections: [Int: Connection] = [:]
    private var questions: Set<Int> = []
    private var lastConnection = 0

    var isEmpty: Bool { taken == waiting.count }

    /// Whether the query is waiting or in progress.
    func contains(_ question: Int) -> Bool { questions.contains(question) }

    /// - Returns: false if the query is already in the list.
    mutating func add(_ context: TryContext) -> Bool {
        guard questions.insert(context.question).inserted else { return false }
        waiting.append(context)
        return true
    }

    /// Returns the number of a new connection; nil if there are enough, or no query waits.
    mutating func open() -> Int? {
        guard !isEmpty, connections.count < Self.largestConnectionCount else { return nil }
        lastConnection += 1
        connections[lastConnection] = Connection()
        return lastConnection
    }

    mutating func started(_ connection: Int, _ task: Task<Void, Never>) { connections[connection]?.task = task }

    mutating func closed(_ connection: Int) { connections[connection] = nil }

    /// Returns the next query for a connection.
    mutating func next(for connection: Int) -> TryContext? {
        guard !isEmpty else { return nil }
        defer {
            taken += 1
            if taken == waiting.count {
                (waiting, taken) = ([], 0)
            } else if taken >= 256, taken * 2 >= waiting.count {
                waiting.removeFirst(taken)
                taken = 0
            }
        }
        connections[connection]?.question = waiting[taken].question
        return waiting[taken]
    }

    mutating func done(_ question: Int, by connection: Int) {
        questions.remove(question)
        connections[connection]?.question = nil
    }

    /// Returns the task of a query in progress; nil if the query is waiting or unknown.
    func task(asking question: Int) -> Task<Void, Never>? {
        guard questions.contains(question) else { return nil }
        return connections.values.first { $0.question == question }?.task
    }
}
