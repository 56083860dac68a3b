internal import CheckModel
internal import ConnectAPI
internal import NATSClient
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Asks instances of other places to run checks, and waits for their answers.
final class FleetAsker: Sendable {
    /// How long a question waits for an answer after the check itself must have ended, in milliseconds.
    static let graceMilliseconds = 1000
    /// How long it is repeated if no instance is there, or the broker is away: both may be a restart.
    static let absenceMilliseconds = 1000
    /// The first pause before a question is repeated, in milliseconds; each further one is twice as long.
    private static let firstPause = 20
    private static let longestPause = 500

    private let identity: FleetIdentity
    private let subjects: FleetSubjects
    private let outbox: FleetOutbox
    private let reactors: [Reactor]
    private let waiting = WaitingQuestions()
    /// The first tokens of the subjects at which it hears.
    let inbox: String
    let counts = FleetQuestionCounts()

    init(_ identity: FleetIdentity, _ subjects: FleetSubjects, outbox: FleetOutbox, reactors: [Reactor]) {
        self.identity = identity
        self.subjects = subjects
        self.outbox = outbox
        self.reactors = reactors
        inbox = FleetSubjects.inbox(of: identity.place, identity.instance)
    }

    var subscription: NATSSubscription {
        NATSSubscription(
            inbox + ".check.*",
            headers: [FleetHeader.errorCode, FleetHeader.error, FleetHeader.place, FleetHeader.instance]
        ) { [waiting] message in
            guard let number = message.subject.split(separator: ".").last.flatMap({ UInt64($0) }) else { return }
            waiting.end(number, with: message.isNoResponders ? .noResponders : .message(message))
        }
    }

    func ask(_ question: FleetQuestion) async -> FleetAnswer {
        let answer = await repeated(question)
        counts.note(answer)
        return answer
    }

    /// Asks until there is an answer that need not be repeated, or the deadline comes.
    private func repeated(_ question: FleetQuestion) async -> FleetAnswer {
        let begin = Clock.now()
        var pause = Self.firstPause
        while true {
            let trial = await once(question)
            let (reason, isAbsent): (String, Bool)
            switch trial {
            case .answer(let answer): return answer
            case .again(let text, let absent): (reason, isAbsent) = (text, absent)
            }
            let now = Clock.now()
            let isOver =
                question.deadline.since(now) <= Int64(pause) * 1_000_000
                || isAbsent && now.since(begin) >= Int64(Self.absenceMilliseconds) * 1_000_000
            if isOver || Task.isCancelled { return .unavailable(reason: reason) }
            let wait = Int.random(in: pause / 2...pause)
            guard await reactor(of: UInt64(wait)).sleep(until: now.advanced(byMilliseconds: wait)) == .deadline else {
                return .unavailable(reason: "the request was cancelled")
            }
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func once(_ question: FleetQuestion) async -> QuestionTrial {
        let longest = question.request.longestMillisecondsWithTrace + Self.graceMilliseconds
        let end = min(question.deadline, Clock.now().advanced(byMilliseconds: longest))
        switch await reply(to: question, until: end) {
        case .message(let message):
            return AnswerReader(question: question).read(message)
        case .noResponders:
            let what = question.place.map { "no instance of the place \($0.text)" } ?? "no instance of the fleet"
            return .again(reason: "\(what) is connected", isAbsent: true)
        case .unsent: return .again(reason: "the connection to the broker is lost", isAbsent: true)
        case .deadline: return .again(reason: "no answer came in time", isAbsent: false)
        case .cancelled: return .answer(.unavailable(reason: "the request was cancelled"))
        }
    }

    /// Sends the question once, and waits.
    private func reply(to question: FleetQuestion, until end: MonotonicTime) async -> QuestionEnd {
        let number = waiting.newNumber()
        let timer = Task(executorPreference: reactor(of: number).thread) { [waiting, reactor = reactor(of: number)] in
            if await reactor.sleep(until: end) == .deadline { waiting.end(number, with: .deadline) }
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiting.begin(number, continuation)
                if Task.isCancelled { return waiting.end(number, with: .cancelled) }
                // The timer may have ended before the question began to wait.
                if end <= Clock.now() { return waiting.end(number, with: .deadline) }
                if !outbox.send(message(for: question, number, until: end)) { waiting.end(number, with: .unsent) }
            }
        } onCancel: { [waiting, thread = reactor(of: number).thread] in
            // This may run with the task's own lock held, where its continuation must not be resumed.
            Task(executorPreference: thread) { waiting.end(number, with: .cancelled) }
        }
    }

    private func message(for question: FleetQuestion, _ number: UInt64, until end: MonotonicTime) -> NATSMessage {
        let subject = question.place.map { subjects.check(at: $0) } ?? subjects.anyCheck
        let left = max(end.since(Clock.now()), 0) / 1_000_000
        let asker = question.client.map { "\(identity.place.text)/\($0)" } ?? identity.place.text
        return NATSMessage(
            subject, replyTo: "\(inbox).check.\(number)",
            headers: [
                (FleetHeader.deadline, String(Clock.wallNanoseconds() / 1_000_000 + left)),
                (FleetHeader.asker, FleetHeader.askerName(asker)),
            ], payload: question.body)
    }

    private func reactor(of number: UInt64) -> Reactor { reactors[Int(number % UInt64(reactors.count))] }
}

/// What came of one question that was sent.
enum QuestionEnd: Sendable {
    case message(NATSMessage)
    /// The broker says that no one has a subscription of the subject.
    case noResponders
    case unsent, deadline, cancelled
}

/// Whether a question is answered, or asked again.
enum QuestionTrial: Sendable {
    case answer(FleetAnswer)
    /// - isAbsent: whether no instance could be reached at all.
    case again(reason: String, isAbsent: Bool)
}

/// The questions that have been sent and not answered. An answer to any other is ignored.
private final class WaitingQuestions: Sendable {
    private struct State {
        var lastNumber: UInt64 = 0
        var continuations: [UInt64: CheckedContinuation<QuestionEnd, Never>] = [:]
    }

    private let state = Mutex(State())

    func newNumber() -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    func begin(_ number: UInt64, _ continuation: CheckedContinuation<QuestionEnd, Never>) {
        state.withLock { $0.continuations[number] = continuation }
    }

    /// Ends a question, unless it has ended.
    func end(_ number: UInt64, with end: QuestionEnd) {
        state.withLock { $0.continuations.removeValue(forKey: number) }?.resume(returning: end)
    }
}

/// How questions ended, for `/metrics`.
final class FleetQuestionCounts: Sendable {
    private let state = Mutex<[String: UInt64]>([:])

    var values: [String: UInt64] { state.withLock { $0 } }

    func note(_ answer: FleetAnswer) {
        let status =
            switch answer {
            case .finished: "finished"
            case .unavailable: "unavailable"
            case .forbidden: "forbidden"
            case .unsupported: "unsupported"
            }
        state.withLock { $0[status, default: 0] += 1 }
    }
}
