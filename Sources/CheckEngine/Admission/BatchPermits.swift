/// How the permits of batches are divided: pure bookkeeping, under the lock of `Admission`.
///
/// A batch may have more than its equal part as long as no batch with fewer permits waits for one.
struct BatchPermits {
    private struct Share {
        let number: Int
        let onPermit: @Sendable () -> Void
        var inFlight = 0
        var isWaiting = false
        /// Whether it was told to ask again, and has not asked since.
        var isTold = false
    }

    /// Permits of all batches.
    private(set) var inFlight = 0
    /// A few at most: a search is cheaper than a dictionary.
    private var shares: [Share] = []
    private var lastNumber = 0
    private var waitingCount = 0
    private var toldCount = 0

    /// Whether a batch waits and was not told to ask again.
    var areWaiting: Bool { waitingCount > toldCount }

    mutating func add(onPermit: @escaping @Sendable () -> Void) -> Int {
        lastNumber += 1
        shares.append(Share(number: lastNumber, onPermit: onPermit))
        return lastNumber
    }

    mutating func remove(_ number: Int) {
        guard let index = index(of: number) else { return }
        setWaiting(false, at: index)
        inFlight -= shares[index].inFlight
        shares.remove(at: index)
    }

    mutating func take(_ number: Int) {
        guard let index = index(of: number) else { return }
        setWaiting(false, at: index)
        shares[index].inFlight += 1
        inFlight += 1
    }

    mutating func release(_ number: Int) {
        guard let index = index(of: number) else { return }
        shares[index].inFlight -= 1
        inFlight -= 1
    }

    /// Notes whether a batch waits for a permit. It counts as waiting until it gets one, or says that it needs none.
    mutating func noteWaiting(_ isWaiting: Bool, _ number: Int) {
        guard let index = index(of: number) else { return }
        setWaiting(isWaiting, at: index)
    }

    /// Whether a further permit leaves enough for the batches that wait.
    func isFair(toGrant number: Int, of limit: Int) -> Bool { isFair(number, adding: 1, of: limit) }

    /// Whether a batch that keeps all its permits leaves enough for the batches that wait.
    func isFair(toKeep number: Int, of limit: Int) -> Bool { isFair(number, adding: 0, of: limit) }

    private func isFair(_ number: Int, adding added: Int, of limit: Int) -> Bool {
        guard waitingCount > 0, let index = index(of: number) else { return true }
        let own = shares[index].inFlight + added
        guard own > max(limit / shares.count, 1) else { return true }
        return !shares.contains { $0.isWaiting && $0.number != number && $0.inFlight < own }
    }

    /// The batch that waits, was not told, and has fewest permits: how to tell it to ask again.
    mutating func nextWaiting() -> (@Sendable () -> Void)? {
        let waiting = shares.indices.filter { shares[$0].isWaiting && !shares[$0].isTold }
        guard let index = waiting.min(by: { shares[$0].inFlight < shares[$1].inFlight }) else { return nil }
        shares[index].isTold = true
        toldCount += 1
        return shares[index].onPermit
    }

    private func index(of number: Int) -> Int? { shares.firstIndex { $0.number == number } }

    private mutating func setWaiting(_ isWaiting: Bool, at index: Int) {
        if shares[index].isTold {
            shares[index].isTold = false
            toldCount -= 1
        }
        guard shares[index].isWaiting != isWaiting else { return }
        shares[index].isWaiting = isWaiting
        waitingCount += isWaiting ? 1 : -1
    }
}
