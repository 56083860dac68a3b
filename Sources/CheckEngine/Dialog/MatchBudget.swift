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
        let begin = connectd_thread_time()
        var clock = connectd_match_clock(
            end: begin + min(remainingNanoseconds, DialogLimits.matchNanoseconds), callouts: 0)
        // The context keeps the address, so it has to stay the same for the whole of the match.
        let result = withUnsafeMutablePointer(to: &clock) {
            connectd_set_match_clock(context, $0)
            return match(context)
        }
        latestNanoseconds = connectd_thread_time() - begin
        remainingNanoseconds -= latestNanoseconds
        return result
    }
}
