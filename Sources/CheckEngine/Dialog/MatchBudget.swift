internal import CLinux
internal import CPCRE2

/// The CPU time that a conversation may still spend in patterns.
///
/// The thread's own time is counted, not the clock's: a machine under load must not make a cheap pattern fail.
struct MatchBudget {
    private(set) var remainingNanoseconds = DialogLimits.conversationNanoseconds
    /// What the latest match took.
    private(set) var latestNanoseconds: Int64 = 0

    /// Calls `match` with limits: an error of PCRE2 ends it where it exceeds them, PCRE2_ERROR_CALLOUT for the time.
    mutating func spend(_ match: (OpaquePointer) -> Int32) -> Int32 {
        guard remainingNanoseconds > 0 else { return PCRE2_ERROR_CALLOUT }
        guard let context = pcre2_match_context_create_8(nil) else { return PCRE2_ERROR_NOMEMORY }
        defer { pcre2_match_context_free_8(context) }
        pcre2_set_match_limit_8(context, 1_000_000)
        pcre2_set_depth_limit_8(context, 100_000)
        pcre2_set_heap_limit_8(context, 4096)
        let begin = Stopwatch.threadTime()
        var watch = Stopwatch(end: begin + min(remainingNanoseconds, DialogLimits.matchNanoseconds))
        let result = withUnsafeMutablePointer(to: &watch) {
            pcre2_set_callout_8(context, stopAtEnd, $0)
            return match(context)
        }
        latestNanoseconds = Stopwatch.threadTime() - begin
        remainingNanoseconds -= latestNanoseconds
        return result
    }
}

/// Ends a match when its time is up.
private struct Stopwatch {
    /// Between two looks at the clock a repeated item can pass over all unmatched bytes so often.
    static let calloutsBetweenLooks = 8

    let end: Int64
    var callouts = 0

    mutating func isOver() -> Bool {
        callouts += 1
        return callouts.isMultiple(of: Self.calloutsBetweenLooks) && Self.threadTime() >= end
    }

    /// CLOCK_THREAD_CPUTIME_ID in nanoseconds.
    static func threadTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Called by PCRE2 at every item of a pattern; a negative number ends the match with that error.
private func stopAtEnd(
    _ block: UnsafeMutablePointer<pcre2_callout_block_8>?, _ watch: UnsafeMutableRawPointer?
) -> Int32 {
    // SAFETY: `spend` passes a Stopwatch that outlives the match, and nobody else touches it meanwhile.
    guard let watch = watch?.assumingMemoryBound(to: Stopwatch.self) else { return PCRE2_ERROR_CALLOUT }
    return watch.pointee.isOver() ? PCRE2_ERROR_CALLOUT : 0
}
