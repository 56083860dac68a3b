internal import CPCRE2

/// A compiled regular expression over bytes: PCRE2, without UTF.
///
/// `.` matches any byte but CR and LF, `^` and `$` match at the ends of lines. Matching is interpreted: the just-in-time
/// compiler needs memory that is writable and executable, and keeps no limit of depth.
final class Pattern: Sendable {
    // SAFETY: pcre2_code is not written to between pcre2_compile and pcre2_code_free (pcre2api(3), "Multithreading"), so
    // threads may share it; `deinit` alone frees it, after the last reference is gone.
    nonisolated(unsafe) let code: OpaquePointer
    // SAFETY: as for `code`.
    /// The same pattern, in which `^`, `\A` and `\G` also match at the start offset of a search; nil: it has none of them.
    nonisolated(unsafe) let codeAfterMatch: OpaquePointer?
    let groups: PatternGroups
    var namedGroups: [(name: String, number: Int)] { groups.names }
    var groupCount: Int { groups.count }

    /// PCRE2_AUTO_CALLOUT has every item of the pattern ask the budget: `match limit` restarts at each start offset, and
    /// does not count the bytes that a repeated item passes over.
    private static let options =
        PCRE2_MULTILINE | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C
        | PCRE2_AUTO_CALLOUT

    init(_ text: String) throws(Flaw) {
        let original = Array(text.utf8)
        (code, codeAfterMatch) = try Self.compile(original, rewrittenBy: PatternAnchors(original))
        groups = PatternGroups(
            count: Int(Self.information(UInt32(PCRE2_INFO_CAPTURECOUNT), of: code)), names: Self.names(of: code))
        let lookbehind = Self.information(UInt32(PCRE2_INFO_MAXLOOKBEHIND), of: code)
        // Everything is set, so that `deinit` frees the code.
        guard lookbehind <= DialogLimits.contextBytes else {
            throw Flaw("looks back \(lookbehind) bytes, at most \(DialogLimits.contextBytes) are kept")
        }
    }

    deinit {
        pcre2_code_free_8(code)
        pcre2_code_free_8(codeAfterMatch)
    }

    /// - Returns: two pcre2_code, which are the caller's: `code` and `codeAfterMatch`.
    private static func compile(
        _ original: [UInt8], rewrittenBy anchors: PatternAnchors
    ) throws(Flaw) -> (OpaquePointer, OpaquePointer?) {
        let compiled = try compile(original)
        var afterMatch: OpaquePointer?
        do throws(Flaw) {
            afterMatch = try recompile(anchors.afterMatch, as: compiled)
            guard let rewritten = try recompile(anchors.atStart, as: compiled) else { return (compiled, afterMatch) }
            pcre2_code_free_8(compiled)
            return (rewritten, afterMatch)
        } catch {
            pcre2_code_free_8(compiled)
            pcre2_code_free_8(afterMatch)
            throw error
        }
    }

    /// - Returns: a pcre2_code, which is the caller's.
    private static func compile(_ text: [UInt8]) throws(Flaw) -> OpaquePointer {
        guard let context = pcre2_compile_context_create_8(nil) else { throw noMemory }
        defer { pcre2_compile_context_free_8(context) }
        pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_ANYCRLF))
        pcre2_set_bsr_8(context, UInt32(PCRE2_BSR_ANYCRLF))
        var error: Int32 = 0
        var offset = 0
        // The zero after the end is not part of the pattern: it gives an empty one an address, which PCRE2 asks for.
        let terminated = text + [0]
        let compiled = pcre2_compile_8(
            terminated, terminated.count - 1, options, &error, &offset, context)
        // ERR121 of pcre2_compile has no name in the header: "failed to allocate heap memory".
        if compiled == nil, error == 121 { throw noMemory }
        guard let compiled else { throw Flaw("is not a pattern, at byte \(offset): \(message(of: error))") }
        return compiled
    }

    private static let noMemory = Flaw("cannot be compiled: no memory is left", isShortage: true)

    /// Compiles a rewritten pattern. Our reading of the syntax may miss something that PCRE2 knows: a rewritten pattern that
    /// does not compile, or that has other groups, is not used.
    /// - Throws: only if there is no memory. The original pattern would match other bytes.
    private static func recompile(
        _ text: [UInt8]?, as original: OpaquePointer
    ) throws(Flaw) -> OpaquePointer? {
        guard let text else { return nil }
        let compiled: OpaquePointer
        do throws(Flaw) {
            compiled = try compile(text)
        } catch {
            if error.isShortage { throw error }
            return nil
        }
        let count = UInt32(PCRE2_INFO_CAPTURECOUNT)
        guard information(count, of: compiled) == information(count, of: original) else {
            pcre2_code_free_8(compiled)
            return nil
        }
        return compiled
    }

    static func message(of error: Int32) -> String {
        let bytes = [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
            count = max(Int(pcre2_get_error_message_8(error, buffer.baseAddress, buffer.count)), 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func information(_ what: UInt32, of code: OpaquePointer) -> UInt32 {
        var value: UInt32 = 0
        pcre2_pattern_info_8(code, what, &value)
        return value
    }

    /// The name table: entries of one size, each two bytes of number, then the name and a zero.
    private static func names(of code: OpaquePointer) -> [(name: String, number: Int)] {
        let count = Int(information(UInt32(PCRE2_INFO_NAMECOUNT), of: code))
        let size = Int(information(UInt32(PCRE2_INFO_NAMEENTRYSIZE), of: code))
        var table: UnsafePointer<UInt8>?
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table else { return [] }
        let entries = (0..<count).map { index in
            let entry = UnsafeBufferPointer(start: table + index * size, count: size)
            let name = String(decoding: entry.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self)
            return (name: name, number: Int(entry[0]) << 8 | Int(entry[1]))
        }
        return entries.sorted { $0.number < $1.number }
    }
}

/// What a search found.
enum MatchResult {
    /// The bytes of the groups, the whole match as group 0; nil for a group that took no part.
    case found([Range<Int>?])
    /// What begins here could become a match with more bytes; nothing before it can.
    case open(from: Int)
    /// No match, and none with more bytes after these.
    case absent
    /// The search was given up, for this reason.
    case exceeded(String)
}

/// What the end of the bytes means to a search.
enum BytesEnd {
    /// More can come: a match that touches the end, or looks at what follows, is open.
    case unknown
    /// The end of a message: a match may end there, else more can come.
    case message
    /// Nothing more comes.
    case final

    fileprivate var options: UInt32 {
        switch self {
        case .unknown: PCRE2_PARTIAL_HARD
        case .message: PCRE2_PARTIAL_SOFT
        case .final: 0
        }
    }
}

extension Pattern {
    /// Looks for the first match at `start` or later; the bytes before it are context.
    /// - Parameter lastMatchEnd: where the match of the step before ended. There `^`, `\A` and `\G` match, whatever
    ///   comes before it.
    func match(
        _ bytes: [UInt8], from start: Int, lastMatchEnd: Int = 0, end: BytesEnd, budget: inout MatchBudget
    ) -> MatchResult {
        // At the begin of the bytes, all of these match anyway.
        if let codeAfterMatch, start == lastMatchEnd, start > 0 {
            let result = match(codeAfterMatch, bytes, from: start, end.options | PCRE2_ANCHORED, &budget)
            guard case .absent = result else { return result }
        }
        return match(code, bytes, from: start, end.options, &budget)
    }

    /// Looks for the first match in the bytes before `limit`, of which it is not known that anything ends there.
    func match(
        _ bytes: [UInt8], from start: Int, lastMatchEnd: Int, before limit: Int, budget: inout MatchBudget
    ) -> MatchResult {
        let seen = Array(bytes[..<limit])
        if let codeAfterMatch, start == lastMatchEnd, start > 0 {
            let result = match(codeAfterMatch, seen, from: start, PCRE2_NOTEOL | PCRE2_ANCHORED, &budget)
            guard case .absent = result else { return result }
        }
        return match(code, seen, from: start, PCRE2_NOTEOL, &budget)
    }

    private func match(
        _ code: OpaquePointer, _ bytes: [UInt8], from start: Int, _ options: UInt32, _ budget: inout MatchBudget
    ) -> MatchResult {
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else {
            budget.noteShortage()
            return .exceeded("finds no memory")
        }
        // The frames of backtracking belong to it, up to the heap limit: nothing of that outlives the call.
        defer { pcre2_match_data_free_8(data) }
        let result = budget.spend { context in
            bytes.withUnsafeBufferPointer {
                pcre2_match_8(code, $0.baseAddress, $0.count, start, options, data, context)
            }
        }
        let bounds = pcre2_get_ovector_pointer_8(data)
        switch (result, bounds) {
        case (1..., .some(let bounds)): return .found(ranges(at: bounds))
        case (PCRE2_ERROR_PARTIAL, .some(let bounds)): return .open(from: bounds[0])
        case (PCRE2_ERROR_NOMATCH, _): return .absent
        case (PCRE2_ERROR_CALLOUT, _): return .exceeded("took too much time to match")
        case (PCRE2_ERROR_NOMEMORY, _):
            budget.noteShortage()
            return .exceeded("finds no memory")
        case (_, _): return .exceeded("could not be matched: \(Self.message(of: result))")
        }
    }

    private func ranges(at bounds: UnsafeMutablePointer<Int>) -> [Range<Int>?] {
        (0...groupCount).map { group in
            let (lower, upper) = (bounds[2 * group], bounds[2 * group + 1])
            // PCRE2_UNSET is all bits set; \K can move the begin of a match after its end.
            return lower >= 0 && lower <= upper ? lower..<upper : nil
        }
    }
}

/// The CPU time that a dialog may still spend in patterns.
///
/// The thread's own time is counted, not the clock's: a machine under load must not make a cheap pattern fail.
struct MatchBudget {
    private(set) var remainingNanoseconds = DialogLimits.dialogNanoseconds
    /// What the latest match took.
    private(set) var latestNanoseconds: Int64 = 0
    /// Whether a search has ended for lack of memory, which says nothing about the peer.
    private(set) var isShortOfMemory = false

    mutating func noteShortage() { isShortOfMemory = true }

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
