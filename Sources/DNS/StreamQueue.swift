/// What one name server is asked over TCP: few connections at once, each for one question after another.
struct StreamQueue {
    /// Name servers limit how many connections they accept, some to 20.
    static let largestConnectionCount = 8

    private struct Connection {
        var task: Task<Void, Never>?
        var question: Int?
    }

    private var waiting: [TryContext] = []
    /// How many of `waiting` were taken out.
    private var taken = 0
    private var connections: [Int: Connection] = [:]
    private var questions: Set<Int> = []
    private var lastConnection = 0

    var isEmpty: Bool { taken == waiting.count }

    /// Whether the question waits here, or is being asked.
    func contains(_ question: Int) -> Bool { questions.contains(question) }

    /// - Returns: false where the question is there already.
    mutating func add(_ context: TryContext) -> Bool {
        guard questions.insert(context.question).inserted else { return false }
        waiting.append(context)
        return true
    }

    /// The number of a new connection; nil where there are enough, or nothing waits for one.
    mutating func open() -> Int? {
        guard !isEmpty, connections.count < Self.largestConnectionCount else { return nil }
        lastConnection += 1
        connections[lastConnection] = Connection()
        return lastConnection
    }

    mutating func started(_ connection: Int, _ task: Task<Void, Never>) { connections[connection]?.task = task }

    mutating func closed(_ connection: Int) { connections[connection] = nil }

    /// The next question of a connection.
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

    /// The task that asks a question right now; nil where it only waits, or is not there.
    func task(asking question: Int) -> Task<Void, Never>? {
        guard questions.contains(question) else { return nil }
        return connections.values.first { $0.question == question }?.task
    }
}
