internal import CPCRE2

/// What a search found.
enum MatchResult {
    /// The bytes of the groups, the whole match as group 0; nil for a group that took no part.
    case found([Range<Int>?])
    /// What begins here could become a match with more bytes; nothing before it can.
    case open(from: Int)
    /// No match, and none with more bytes behind these ones.
    case absent
    /// The search was given up, for this reason.
    case exceeded(String)
}

/// What the end of the bytes means to a search.
enum BytesEnd {
    /// More can come: a match that touches the end, or asks what stands there, is open.
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
    /// Looks for the first match at or behind `start`; what stands before it is context.
    /// - Parameter lastMatchEnd: where the match of the step before ended. There `^`, `\A` and `\G` match, whatever
    ///   stands before it.
    func match(
        _ bytes: [UInt8], from start: Int, lastMatchEnd: Int = 0, end: BytesEnd, budget: inout MatchBudget
    ) -> MatchResult {
        // At the begin of the bytes all of these match by themselves.
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
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else { return .exceeded("finds no memory") }
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
        case (_, _): return .exceeded("could not be matched: \(Self.message(of: result))")
        }
    }

    private func ranges(at bounds: UnsafeMutablePointer<Int>) -> [Range<Int>?] {
        (0...groupCount).map { group in
            let (lower, upper) = (bounds[2 * group], bounds[2 * group + 1])
            // PCRE2_UNSET is all bits set; \K can move the begin of a match behind its end.
            return lower >= 0 && lower <= upper ? lower..<upper : nil
        }
    }
}
