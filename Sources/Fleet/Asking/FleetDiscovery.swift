internal import ConnectAPI
internal import NATSClient
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Asks all instances who they are, and keeps their answers.
final class FleetDiscovery: Sendable {
    private struct State {
        var table = VantageTable()
        var lastNumber: UInt64 = 0
        /// When the latest questions were sent, by their number.
        var sent: [UInt64: MonotonicTime] = [:]
        var lastAnswer: MonotonicTime?
        /// Whether the broker has refused the question on this connection.
        var isRefused = false
    }

    /// Where the question goes.
    static let subject = "\(ServiceDescription.Verb.info.subject).\(FleetSubjects.service)"

    private let subjects: FleetSubjects
    private let outbox: FleetOutbox
    private let inbox: String
    private let state = Mutex(State())

    init(_ identity: FleetIdentity, _ subjects: FleetSubjects, outbox: FleetOutbox) {
        self.subjects = subjects
        self.outbox = outbox
        inbox = FleetSubjects.inbox(of: identity.place, identity.instance) + ".info"
    }

    var subscription: NATSSubscription {
        NATSSubscription(inbox + ".*") { [self] message in
            guard let number = message.subject.split(separator: ".").last.flatMap({ UInt64($0) }) else { return }
            note(message, number)
        }
    }

    var vantages: [Vantage] { state.withLock { $0.table.vantages } }

    /// When the last instance answered; nil before the first.
    var lastAnswer: MonotonicTime? { state.withLock { $0.lastAnswer } }

    /// The time until the next question, in milliseconds.
    var periodMilliseconds: Int { state.withLock { $0.table.periodMilliseconds } }

    /// Asks no more on this connection: the broker does not allow it.
    func noteRefused() {
        state.withLock { $0.isRefused = true }
    }

    /// Asks on a new connection.
    func beginConnection() {
        state.withLock { $0.isRefused = false }
        ask()
    }

    /// Asks, and forgets the instances that have not answered for long.
    func ask() {
        let number = state.withLock { state -> UInt64? in
            let now = Clock.now()
            state.table.expire(at: now, wallNanoseconds: Clock.wallNanoseconds())
            guard !state.isRefused else { return nil }
            state.lastNumber += 1
            state.sent[state.lastNumber] = now
            if state.lastNumber > 3 { state.sent[state.lastNumber - 3] = nil }
            return state.lastNumber
        }
        guard let number else { return }
        _ = outbox.send(NATSMessage(Self.subject, replyTo: "\(inbox).\(number)"))
    }

    private func note(_ message: NATSMessage, _ number: UInt64) {
        guard let info = VantageInfo(message.payload, checkSubject: subjects.anyCheck) else { return }
        let now = Clock.now()
        state.withLock { state in
            guard let sent = state.sent[number] else { return }
            state.lastAnswer = now
            state.table.note(
                info, at: now, wallNanoseconds: Clock.wallNanoseconds(),
                roundTripMilliseconds: Double(now.since(sent)) / 1e6)
        }
    }
}
