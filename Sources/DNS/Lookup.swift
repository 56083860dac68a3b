internal import CheckModel
internal import SocketIO

/// What one name came to: per type of record that was asked for.
typealias LookupResult = [RecordType: TryResult]

/// Somebody who waits for the answers about one name.
struct Lookup {
    /// How long the second family is waited for when the first has addresses: time for one more try, at most a quarter
    /// of what is left.
    static let longestGrace: Int64 = 500_000_000

    let deadline: MonotonicTime
    let timer: SlotToken
    var questions: [RecordType: Int] = [:]
    var results: LookupResult = [:]
    var continuation: UnsafeContinuation<LookupResult, Never>?

    var isComplete: Bool { results.count == questions.count }

    var hasAddresses: Bool {
        results.values.contains { if case .success = $0 { true } else { false } }
    }

    /// When to stop waiting for the other family.
    func graceEnd(from now: MonotonicTime) -> MonotonicTime {
        let left = max(deadline.since(now), 0)
        return deadline == .distantFuture
            ? now.advanced(byNanoseconds: Self.longestGrace)
            : now.advanced(byNanoseconds: min(left / 4, Self.longestGrace))
    }
}
