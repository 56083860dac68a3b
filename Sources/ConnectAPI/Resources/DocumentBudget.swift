internal import HTTPServer
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// How much of the large documents may be on the way to clients at once: the list of ten thousand monitors has 14 MB, and each
/// client that reads slowly would hold one of its own.
///
/// Where there is no room, the client that has been at it for longest makes some, if it had time enough: whoever reads slowly,
/// or not at all, keeps nobody else from the metrics.
final class DocumentBudget: Sendable {
    private struct Loan {
        let number: UInt64
        let bytes: Int
        let begin: MonotonicTime
        /// Lives as long as somebody sends it.
        weak var body: SharedBody?
    }

    private struct Loans {
        /// In the order in which they began.
        var open: [Loan] = []
        var lastNumber: UInt64 = 0

        var bytes: Int { open.reduce(0) { $0 + $1.bytes } }

        /// What has been on its way for longest, if that is old enough; it counts no more.
        mutating func takeOldest(begunBefore limit: MonotonicTime) -> Loan? {
            guard let oldest = open.first, oldest.begin <= limit else { return nil }
            return open.removeFirst()
        }
    }

    /// For this long nobody has to make room: a client that reads has it all by then.
    static let undisturbedMilliseconds = 2000

    private let limitBytes: Int
    private let memory: MemoryBudget?
    private let loans = Mutex(Loans())

    /// - Parameters:
    ///   - limitBytes: the last document that begins below it is sent still.
    ///   - memory: the service's budget, in which documents are charged as responses.
    init(limitBytes: Int, memory: MemoryBudget? = nil) {
        self.limitBytes = limitBytes
        self.memory = memory
    }

    private static let mostBytes = 64 << 20

    /// What the service's budget leaves for responses, at most 64 MiB.
    convenience init(memory: MemoryBudget) {
        self.init(limitBytes: min(Self.mostBytes, memory.ceiling(of: .answers)), memory: memory)
    }

    /// Bytes that are on their way.
    var lentBytes: Int { loans.withLock { $0.bytes } }

    /// Writes a document, and counts it until it is sent, or taken back.
    /// - Throws: where there is no room for it; it is not written then.
    func lend(
        at now: MonotonicTime = Clock.now(), _ write: () throws(Problem) -> [UInt8]
    ) throws(Problem) -> SharedBody {
        guard hasRoom(at: now) else {
            throw Problem(
                .overloaded, "too many large responses are still being sent",
                headers: [Problem.retryAfter])
        }
        return register(try write(), at: now)
    }

    private func hasRoom(at now: MonotonicTime) -> Bool {
        let limit = now.advanced(byMilliseconds: -Self.undisturbedMilliseconds)
        var taken: [Loan] = []
        let hasRoom = loans.withLock { loans in
            while max(loans.bytes, memory?.heldBytes(by: .answers) ?? 0) >= limitBytes {
                guard let oldest = loans.takeOldest(begunBefore: limit) else { return false }
                taken.append(oldest)
            }
            return true
        }
        // Behind the lock: where the last of its readers is done just now, the body ends here, and asks for the lock.
        for loan in taken { loan.body?.revoke() }
        return hasRoom
    }

    private func register(_ bytes: [UInt8], at now: MonotonicTime) -> SharedBody {
        loans.withLock { loans in
            loans.lastNumber += 1
            let number = loans.lastNumber
            _ = memory?.chargeAnyway(bytes.count, for: .answers)
            let body = SharedBody(bytes) { [self, count = bytes.count] in
                memory?.release(count, of: .answers)
                self.loans.withLock { $0.open.removeAll { $0.number == number } }
            }
            loans.open.append(Loan(number: number, bytes: bytes.count, begin: now, body: body))
            return body
        }
    }
}
