internal import HTTPServer
internal import Synchronization

/// How much of the large documents may be on the way to clients at once: the list of ten thousand monitors has 14 MB, and each
/// client that reads slowly would hold one of its own.
final class DocumentBudget: Sendable {
    private final class Count: Sendable {
        let bytes = Atomic<Int>(0)
    }

    private let limitBytes: Int
    private let lent = Count()

    /// - Parameter limitBytes: the last document that begins below it is sent still.
    init(limitBytes: Int = 64 << 20) {
        self.limitBytes = limitBytes
    }

    /// Bytes that are on their way.
    var lentBytes: Int { lent.bytes.load(ordering: .relaxed) }

    /// Writes a document, and counts it until it is sent.
    /// - Throws: where there is no room for it; it is not written then.
    func lend(_ write: () throws(Problem) -> [UInt8]) throws(Problem) -> SharedBody {
        guard lentBytes < limitBytes else {
            throw Problem(
                .overloaded, "as many large documents are on their way to slow readers as may be",
                headers: [Problem.retryAfter])
        }
        let bytes = try write()
        lent.bytes.add(bytes.count, ordering: .relaxed)
        return SharedBody(bytes) { [lent, count = bytes.count] in lent.bytes.subtract(count, ordering: .relaxed) }
    }
}
