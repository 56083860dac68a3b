/// How much a dialog may ask for, and how much of the worker's thread it may take.
enum DialogLimits {
    static let steps = 64
    /// Of the dialog of a module of the configuration.
    static let moduleSteps = 4096
    /// Of one pattern, and of the bytes of one `expect_hex`.
    static let patternBytes = 4096
    /// Of one pattern of a module.
    static let linePatternBytes = 65536
    /// Of one `send` or `send_hex` as the request has it.
    static let sendBytes = 65536
    /// Of one `send` with its groups put in. More than any datagram has, so that it is the kernel who says EMSGSIZE.
    static let filledSendBytes = 1 << 20
    /// Named groups of all patterns together: they go into the result.
    static let namedGroups = 64
    /// What a step shows of what it received, and the result of a group.
    static let shownBytes = 1024

    /// What came and no pattern has matched yet: the oldest is forgotten.
    static let unmatchedBytes = 65536
    /// How much in front of the unmatched bytes is kept for `^`, `\b` and lookbehind.
    static let contextBytes = 4096
    /// What one receive takes from a stream. A message has to be taken whole, since its rest is lost.
    static let streamReceiveBytes = 16384
    static let messageReceiveBytes = 65536

    /// CPU time of one match, which it can exceed by 1.5 ms. A worker serves thousands of checks: none may keep it longer.
    static let matchNanoseconds: Int64 = 3_500_000
    /// CPU time of all matches of a conversation, against peers that drip bytes into an expensive pattern.
    static let conversationNanoseconds: Int64 = 100_000_000
    /// RE2 takes about 10 ns for each instruction and byte, at worst: a worker spends at most some 3 ms in a match.
    static let inlineMatchSteps = 1 << 18
    /// So many matches with more steps than that may be under way at once, on threads of their own.
    static let detachedMatches = 8
    /// How often a conversation looks whether such a match is done.
    static let detachedMatchPollMilliseconds = 1
    /// A match this long gives the others a turn before the conversation goes on.
    static let turnNanoseconds: Int64 = 500_000
    /// So many receives without a wait between them give the others a turn.
    static let receivesOfTurn = 8

    /// How long a stream has to be quiet before a match that ends with its last byte, and may thus still grow, counts.
    static let quietMilliseconds = 100
}
