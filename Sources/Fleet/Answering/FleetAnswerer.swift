internal import CheckModel
internal import ConnectAPI
internal import NATSClient
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Runs the checks that other places ask for, and answers them.
///
/// Messages arrive on a thread of the library; the checks run on the threads of the workers.
final class FleetAnswerer: Sendable {
    /// Runs one check on the thread of a worker.
    typealias Runner =
        @Sendable (_ body: [UInt8], _ asker: String, _ deadline: MonotonicTime?, _ worker: Int) async -> RemoteReply

    /// The most requests at once. Those beyond the checks in flight and the queue of the service get 503 earlier.
    private static let openLimit = 16_384
    /// The most bytes of their payloads.
    private static let openBytesLimit = 32 << 20
    /// A request may be this late: clocks of machines differ.
    private static let clockToleranceMilliseconds: Int64 = 250

    private let identity: FleetIdentity
    private let subjects: FleetSubjects
    private let outbox: FleetOutbox
    private let reactors: [Reactor]
    private let run: Runner
    /// Requests that have no answer yet, and the bytes of their payloads.
    private let openCount = Atomic<Int>(0)
    private let openBytes = Atomic<Int>(0)
    private let nextWorker = Atomic<UInt>(0)
    let counts = FleetAnswerCounts()

    /// - Parameter reactors: those of the workers, in their order; not empty.
    init(
        _ identity: FleetIdentity, _ subjects: FleetSubjects, outbox: FleetOutbox, reactors: [Reactor],
        run: @escaping Runner
    ) {
        self.identity = identity
        self.subjects = subjects
        self.outbox = outbox
        self.reactors = reactors
        self.run = run
    }

    var subscriptions: [NATSSubscription] {
        [subjects.anyCheck, subjects.check(at: identity.place)].map { subject in
            NATSSubscription(
                subject, group: FleetSubjects.group, headers: [FleetHeader.deadline, FleetHeader.asker],
                endsWithDrain: true
            ) { [self] message in receive(message) }
        }
    }

    /// Takes a request, on a thread of the library.
    func receive(_ message: NATSMessage) {
        guard let replyTo = message.replyTo, subjects.mayReceiveAnswers(replyTo) else {
            // Without an answer the check would be of no use to anyone, and its target would still be loaded.
            return counts.noteUnanswerable()
        }
        let begin = Clock.now()
        guard message.omittedBytes == 0 else {
            let reply = RemoteReply(
                .contentTooLarge,
                "a check has at most \(RemoteChecks.longestBody) bytes, got \(message.omittedBytes)")
            return send(reply, to: replyTo, since: begin)
        }
        guard open(message) else {
            return send(RemoteReply(.overloaded, "too many checks of the fleet at once"), to: replyTo, since: begin)
        }
        let turn = nextWorker.add(1, ordering: .relaxed).oldValue
        let worker = Int(turn % UInt(reactors.count))
        Task(executorPreference: reactors[worker].thread) { [self] in
            send(await reply(to: message, on: worker), to: replyTo, since: begin)
            close(message)
        }
    }

    /// Whether every request has its answer.
    var isIdle: Bool { openCount.load(ordering: .relaxed) == 0 }

    /// - Returns: false if there are too many requests; then it is not counted.
    private func open(_ message: NATSMessage) -> Bool {
        let count = openCount.add(1, ordering: .relaxed).newValue
        let bytes = openBytes.add(message.payload.count, ordering: .relaxed).newValue
        guard count <= Self.openLimit, bytes <= Self.openBytesLimit else {
            close(message)
            return false
        }
        return true
    }

    private func close(_ message: NATSMessage) {
        openCount.subtract(1, ordering: .relaxed)
        openBytes.subtract(message.payload.count, ordering: .relaxed)
    }

    private func reply(to message: NATSMessage, on worker: Int) async -> RemoteReply {
        var deadline: MonotonicTime?
        if let text = message.header(FleetHeader.deadline) {
            guard let milliseconds = Int64(text), milliseconds > 0 else {
                return RemoteReply(
                    .badRequest,
                    "\(FleetHeader.deadline) must be milliseconds since 1970, got \(FleetHeader.value(text))")
            }
            let left = remaining(until: milliseconds)
            guard left > -Self.clockToleranceMilliseconds else { return Self.tooLate(by: -left) }
            deadline = Clock.now().advanced(byMilliseconds: Int(clamping: min(max(left, 1), 3_600_000)))
        }
        return await run(
            message.payload, FleetHeader.askerName(message.header(FleetHeader.asker)), deadline, worker)
    }

    private func remaining(until milliseconds: Int64) -> Int64 {
        let (left, overflows) = milliseconds.subtractingReportingOverflow(Clock.wallNanoseconds() / 1_000_000)
        return overflows ? .max : left
    }

    static func tooLate(by milliseconds: Int64) -> RemoteReply {
        RemoteReply(
            .requestTimeout,
            "the request arrived \(milliseconds) ms after its deadline and was not run; if this repeats, the clocks of the two machines differ"
        )
    }

    private func send(_ reply: RemoteReply, to subject: String, since begin: MonotonicTime) {
        var message = NATSMessage(subject, payload: reply.body)
        message.headers = [
            (FleetHeader.place, identity.place.text), (FleetHeader.instance, identity.instance),
        ]
        if reply.status != 200 {
            message.headers.append((FleetHeader.errorCode, String(reply.status)))
            message.headers.append((FleetHeader.error, FleetHeader.value(reply.detail)))
        }
        let isSent = outbox.send(message)
        counts.note(reply, isSent: isSent, nanoseconds: Clock.now().since(begin))
    }
}

/// Who this instance is in its fleet.
struct FleetIdentity: Sendable {
    let place: PlaceName
    let labels: [String: String]
    /// Random, new at each start.
    let instance: String
    let version: String
    let startedAtNanoseconds: Int64

    init(place: PlaceName, labels: [String: String], version: String) {
        self.place = place
        self.labels = labels
        self.version = version
        instance = Self.randomName()
        startedAtNanoseconds = Clock.wallNanoseconds()
    }

    /// 128 random bits, as letters and digits.
    private static func randomName() -> String {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        var generator = SystemRandomNumberGenerator()
        return String((0..<22).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] })
    }
}

/// What the answers were, for `$SRV.STATS` and `/metrics`.
final class FleetAnswerCounts: Sendable {
    struct Values {
        var requests: UInt64 = 0
        var errors: UInt64 = 0
        /// Requests without a subject for the answer.
        var unanswerable: UInt64 = 0
        /// Answers that were not sent, because the connection was lost or too slow.
        var unsent: UInt64 = 0
        var processingNanoseconds: Int64 = 0
        var lastError = ""
        var byStatus: [Int: UInt64] = [:]
    }

    private let state = Mutex(Values())

    var values: Values { state.withLock { $0 } }

    func noteUnanswerable() {
        state.withLock { $0.unanswerable += 1 }
    }

    func note(_ reply: RemoteReply, isSent: Bool, nanoseconds: Int64) {
        state.withLock { values in
            values.requests += 1
            values.processingNanoseconds += nanoseconds
            values.byStatus[reply.status, default: 0] += 1
            if !isSent { values.unsent += 1 }
            guard reply.status != 200 else { return }
            values.errors += 1
            values.lastError = "\(reply.status):\(reply.detail)"
        }
    }
}
