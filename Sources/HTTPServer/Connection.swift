internal import NetworkTypes
internal import SocketIO

/// The state of one open connection and of its current request. Used on the worker's thread only.
final class Connection {
    enum Phase {
        /// Between requests. No byte of the next one has come.
        case idle
        /// A request head has begun.
        case head
        case body
        /// The response is known. The short body is read first, so that the connection can be kept.
        case discarding(Response)
        /// The responder is running, and the library has the connection suspended.
        case suspended
        /// A response is being sent.
        case answering
        /// A streamed response is being sent.
        case streaming(BodyStream)
    }

    let index: Int
    /// The library's struct MHD_Connection, valid until it reports the connection as closed; nil while the library does not
    /// have the connection.
    var handle: OpaquePointer?
    var descriptor: Int32
    let source: ConnectionSource
    /// The watch for requests, and for a client that leaves.
    var watch: SlotToken?

    /// Who reads the next bytes.
    enum Gate {
        /// We do: the bytes wait in the kernel. The library does not have the connection, or has it suspended.
        case waiting
        /// The library, for one request that has come completely.
        case open
        /// The library, from now on: it may have read more than one request.
        case free
    }

    var phase: Phase = .idle
    var gate: Gate = .waiting
    /// Whether it is counted in `HTTPWorker.spareCount`: no complete head of a request has come.
    var isIdle = false
    /// Whether it waits for the rest of a request head.
    var hasPartOfHead: Bool { if case .head = phase { gate == .waiting } else { false } }
    /// The index of the library's instance that has it; nil while none does.
    var library: Int?
    /// Whether the instance with the large memory has it.
    var isLarge: Bool { library == 0 }
    /// Whether the library looks at it at the start of each run.
    var isSeenFirst = false
    /// The charge of a large head in the memory budget.
    var headCharge: MemoryCharge?
    /// Until when we wait for a short body, in nanoseconds of CLOCK_MONOTONIC; 0 if we do not.
    var bodyWait: UInt64 = 0
    var client = ClientState.connected
    var persistence = PersistenceState.persistent
    /// Whether the client sends no more; it may still read.
    var peerHasFinished: Bool { client >= .finished }
    /// Whether the client has closed or reset the connection.
    var peerHasLeft: Bool { client == .left }
    /// How often the kernel is still asked whether a client that sends no more has closed.
    var remainingLooks = 3
    /// Distinguishes a request from earlier ones with the same index.
    var request: UInt64 = 0
    /// Nanoseconds of CLOCK_MONOTONIC.
    let opened: UInt64
    /// Likewise. The sweep ends connections past their deadline.
    var deadline: UInt64
    /// The request's target as it was sent.
    var target: [UInt8] = []
    var head: RequestHead?
    var body: [UInt8] = []
    var bodyLimit = 0
    /// Responds to the request when its body is complete.
    var responder: (any RequestResponder)?
    /// The body's charge in the memory budget, until the request has ended.
    var bodyCharge = 0
    /// The charge of the response, or of a stream's buffer, likewise.
    var answerCharge = 0
    /// When the response was charged, in nanoseconds of CLOCK_MONOTONIC; valid while `answerCharge` is not 0.
    var answerBegan: UInt64 = 0
    var task: Task<Void, Never>?
    /// The shared body that is being sent.
    var sharedBody: SharedBody?

    /// The key of the connection's TLS relay; -1 without one.
    let relayKey: Int32
    /// Whether the request uses HTTP/1.0.
    var isHTTP10 = false
    /// Whether the request began after `DaemonState.ending`, so that clients that continue to ask do not delay the shutdown.
    var isLate = false
    /// Whether the request is counted in `HTTPWorker.inFlight`.
    var isInFlight = false
    /// Whether at least one response was sent in full.
    var hasServed = false
    /// Whether the client may still be sending when we close the connection.
    var mustLinger = false

    init(index: Int, _ accepted: AcceptedConnection, deadline: UInt64) {
        self.index = index
        descriptor = accepted.descriptor
        source = accepted.source
        relayKey = accepted.relayKey
        self.deadline = deadline
        opened = Clock.now().nanoseconds
    }

    /// Clears the request's state. The memory of `target` is kept for the next one.
    func reset(deadline: UInt64) {
        phase = .idle
        self.deadline = deadline
        head = nil
        body = []
        responder = nil
        task = nil
        sharedBody = nil
    }

    /// Whether a client that shuts down its writing half counts as having left.
    var endsWithInput: Bool {
        if case .streaming = phase { return true }
        return responder?.endsWithInput == true
    }

    /// Whether the sweep must end the connection.
    func isOver(at now: UInt64) -> Bool { deadline <= now || sharedBody?.isRevoked == true }
}

/// A state that only moves forward, in the order of its cases.
protocol LifecycleState: Comparable {}

extension LifecycleState {
    /// Moves on to a later state. An earlier one changes nothing: events may come late and more than once.
    mutating func advance(to state: Self) {
        self = max(self, state)
    }
}

/// What is known about the client of a connection.
enum ClientState: LifecycleState, CaseIterable {
    case connected
    /// It has shut down its writing half: it sends no more, and may still read.
    case finished
    /// It has closed or reset the connection, or is treated as if it had.
    case left
}

/// Whether a connection may carry another request.
enum PersistenceState: LifecycleState, CaseIterable {
    case persistent
    /// It is closed after the current response.
    case closing
    /// Its client is no longer admitted: another request on it is refused.
    case retired
}

/// How far the shutdown of a daemon has come.
enum DaemonState: LifecycleState, CaseIterable {
    case serving
    /// Every response closes its connection.
    case draining
    /// Requests that begin now are late: `drain` does not wait for them.
    case ending
    /// The handlers have been canceled: no stream begins.
    case canceled
}
