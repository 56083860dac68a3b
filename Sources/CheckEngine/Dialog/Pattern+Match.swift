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
    func match(_ bytes: [UInt8], from start: Int, end: BytesEnd, budget: inout MatchBudget) -> MatchResult {
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil) else { return .exceeded("finds no memory") }
        // The frames of backtracking belong to it, up to the heap limit: nothing of that outlives the call.
        defer { pcre2_match_data_free_8(data) }
        let result = budget.spend { context in
            bytes.withUnsafeBufferPointer {
                pcre2_match_8(code, $0.baseAddress, $0.count, start, end.options, data, context)
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
