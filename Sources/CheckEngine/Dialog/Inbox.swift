/// What the peer has said and no step has matched, with some context before it.
struct Inbox {
    private(set) var bytes: [UInt8] = []
    /// Where the next search begins: behind the previous match, and behind what cannot match any more.
    private(set) var start = 0
    /// Where the next search for what is rejected begins; `start` while nothing is.
    private(set) var rejectStart = 0
    /// Where the previous match ended, as long as the context reaches back to it; 0 at first, and where it does not.
    private(set) var lastMatchEnd = 0
    private var hasRejects = false
    /// Something came, if only an empty datagram, that no search has seen.
    private(set) var hasNews = false
    /// How many unmatched bytes are kept: the oldest are forgotten.
    var capacity = DialogLimits.unmatchedBytes

    var unmatchedCount: Int { bytes.count - start }

    mutating func append(_ new: [UInt8]) {
        bytes += new
        hasNews = true
        start = max(start, bytes.count - capacity)
        rejectStart = hasRejects ? max(rejectStart, bytes.count - capacity) : start
        let firstNeeded = min(start, rejectStart)
        // Moving the bytes to the front costs as much as copying them: not for a few of them.
        if firstNeeded > 4 * DialogLimits.contextBytes {
            let surplus = firstNeeded - DialogLimits.contextBytes
            bytes.removeFirst(surplus)
            start -= surplus
            rejectStart -= surplus
            lastMatchEnd = max(lastMatchEnd - surplus, 0)
        }
    }

    /// A search has seen everything, and found that no match begins before `offset`.
    mutating func skip(to offset: Int) {
        start = max(start, offset)
        if !hasRejects { rejectStart = start }
        hasNews = false
    }

    /// The same of a search for what is rejected.
    mutating func skipRejects(to offset: Int) {
        rejectStart = max(rejectStart, offset)
    }

    /// From here on something is rejected, until the next match.
    mutating func keepForRejects() {
        hasRejects = true
    }

    /// A match ended at `offset`: the next step looks at what stands behind it, if anything does.
    mutating func consume(to offset: Int) {
        start = max(start, offset)
        lastMatchEnd = start
        rejectStart = start
        hasRejects = false
        hasNews = start < bytes.count
    }

    /// A new step looks at what earlier ones have left.
    mutating func beginStep() {
        hasNews = hasNews || start < bytes.count
    }
}
