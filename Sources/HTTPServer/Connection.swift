internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// What a worker knows of one open connection and of the request on it. Touched on the worker's thread only.
final class Connection {
    enum Phase {
        /// Between requests; nothing of the next one has been seen.
        case idle
        /// The request line has been read.
        case head
        case body
        /// The answer is known; the rest of a short body is read first, so that the connection can be used again.
        case discarding(Response)
        /// The handler works, and the library has been told to leave the connection alone.
        case suspended
        /// An answer is on its way.
        case answering
    }

    let index: Int
    /// The library's handle, a struct MHD_Connection, valid until it reports the connection closed; nil while the library does
    /// not have the connection.
    var handle: OpaquePointer?
    var descriptor: Int32
    let source: ConnectionSource
    /// The watch for a client that goes away.
    var watch: SlotToken?

    /// Who looks at what comes next.
    enum Gate {
        /// We do. What comes waits in the kernel; the library does not have the connection, or leaves it alone.
        case waiting
        /// The library, for one request that was there as a whole.
        case open
        /// The library, from here on: it may have read more than one request.
        case free
    }

    var phase: Phase = .idle
    var gate: Gate = .waiting
    /// Whether the library with the large memory has it.
    var isLarge = false
    /// Whether the library looks at it at the start of each run.
    var isSeenFirst = false
    /// What a large head is charged in the memory budget.
    var headCharge: MemoryCharge?
    /// Until when a short body that has not come yet is waited for, in nanoseconds of CLOCK_MONOTONIC; 0: it is not.
    var bodyWait: UInt64 = 0
    /// The client sends no more, and may read still.
    var peerHasFinished = false
    /// How often a client that sends no more may be asked for still: it may have closed a moment later.
    var remainingLooks = 3
    /// Tells a request from the earlier ones of the same place in the table.
    var request: UInt64 = 0
    /// Nanoseconds of CLOCK_MONOTONIC.
    let opened: UInt64
    /// Likewise; the sweep cuts what is late.
    var deadline: UInt64
    /// The request's target as it was sent.
    var target: [UInt8] = []
    var head: RequestHead?
    var body: [UInt8] = []
    var bodyLimit = 0
    /// Who answers the request, once its body is there.
    var responder: (any RequestResponder)?
    /// What the body is charged in the memory budget until the request has ended.
    var bodyCharge = 0
    /// What the response is charged, likewise.
    var answerCharge = 0
    /// When the response was queued, in nanoseconds of CLOCK_MONOTONIC; it means something while `answerCharge` is not 0.
    var answerBegan: UInt64 = 0
    var task: Task<Void, Never>?
    /// What is on its way, where it is nobody's alone.
    var sharedBody: SharedBody?

    /// The client has closed or reset the connection.
    var peerHasLeft = false
    /// Nothing may be read from this connection after the current request.
    var mustClose = false
    /// Its client is let in no more: what it asks for from here on is refused.
    var isRetired = false
    /// The request began when the end had: clients that go on asking do not hold it up.
    var isLate = false
    /// The request counts as being in flight.
    var isInFlight = false
    /// At least one request was answered in full.
    var hasServed = false
    /// We end the connection while the client may be sending still.
    var mustLinger = false

    init(index: Int, descriptor: Int32, source: ConnectionSource, deadline: UInt64) {
        self.index = index
        self.descriptor = descriptor
        self.source = source
        self.deadline = deadline
        opened = Clock.now().nanoseconds
    }

    /// Forgets the request; the target's memory is kept for the next one.
    func reset(deadline: UInt64) {
        phase = .idle
        self.deadline = deadline
        head = nil
        body = []
        responder = nil
        task = nil
        sharedBody = nil
    }

    /// Whether the sweep has to end it.
    func isOver(at now: UInt64) -> Bool { deadline <= now || sharedBody?.isRevoked == true }
}
