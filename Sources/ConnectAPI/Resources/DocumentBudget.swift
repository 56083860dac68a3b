package import HTTPServer
package import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Limits the bytes of large documents that are being sent. A list of ten thousand monitors has 14 MB, and each slow
/// reader would hold one.
///
/// If the budget is exhausted, the oldest transfer is revoked, if it had enough time. So slow readers cannot keep
/// others from the metrics.
package final class DocumentBudget: Sendable {
    private struct Loan {
        let number: UInt64
        let bytes: Int
        let begin: MonotonicTime
        /// Lives as long as a connection sends it.
        weak var body: SharedBody?
    }

    private struct Loans {
        /// In the order in which they started.
        var open: [Loan] = []
        var lastNumber: UInt64 = 0

        var bytes: Int { open.reduce(0) { $0 + $1.bytes } }

        /// Removes the oldest transfer, if it started before the limit.
        mutating func takeOldest(begunBefore limit: MonotonicTime) -> Loan? {
            guard let oldest = open.first, oldest.begin <= limit else { return nil }
            return open.removeFirst()
        }
    }

    /// The time in which a transfer cannot be revoked; a client that reads has it all by then.
    static let undisturbedMilliseconds = 2000

    private let limitBytes: Int
    private let memory: MemoryBudget?
    private let loans = Mutex(Loans())

    /// - Parameters:
    ///   - limitBytes: a document that starts below the limit is still sent.
    ///   - memory: the budget of the service, which counts documents as responses.
    init(limitBytes: Int, memory: MemoryBudget? = nil) {
        self.limitBytes = limitBytes
        self.memory = memory
    }

    private static let mostBytes = 64 << 20

    /// The share of responses in the memory budget, at most 64 MiB.
    convenience init(memory: MemoryBudget) {
        self.init(limitBytes: min(Self.mostBytes, memory.ceiling(of: .answers)), memory: memory)
    }

    /// The bytes that are being sent.
    var lentBytes: Int { loans.withLock { $0.bytes } }

    /// Writes a document, and counts it until it is sent or revoked.
    /// - Throws: if the budget is exhausted; `write` is not called then.
    package func lend(
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
        // Outside the lock: dropping the last reference runs deinit, which takes the lock.
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
