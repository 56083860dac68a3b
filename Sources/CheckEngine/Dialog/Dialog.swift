public import CheckModel

/// A dialog in order: limits kept, patterns compiled, references resolved. It can be held any number of times.
///
/// Patterns are PCRE2 over bytes, those of `expectLine` RE2 over characters. `^` and `$` match at line ends (CR, LF, CRLF). `send` puts in `${name}`, the group of that
/// name of the nearest `expect` before it that has one, and `${1}`, the numbered group of the nearest `expect` before it;
/// `${0}` is its whole match, a group that took no part is empty. `$${` sends `${`, any other `$` is itself.
public struct Dialog: Sendable {
    let steps: [CompiledStep]
    /// For each step the groups whose values later steps send.
    let keptGroups: [Int: Set<Int>]

    /// Compiles the steps.
    /// - Throws: the first problem found; nothing about the peer.
    public init(steps: [DialogStep]) throws(DialogProblem) {
        try self.init(steps: steps, atMost: DialogLimits.steps)
    }

    /// Compiles the steps of a module of the configuration, which may have more of them.
    /// - Throws: the first problem found; nothing about the peer.
    public init(moduleSteps steps: [DialogStep]) throws(DialogProblem) {
        try self.init(steps: steps, atMost: DialogLimits.moduleSteps)
    }

    private init(steps: [DialogStep], atMost limit: Int) throws(DialogProblem) {
        var compiler = DialogCompiler(maximumSteps: limit)
        for step in steps { try compiler.add(step) }
        self.steps = compiler.steps
        keptGroups = compiler.keptGroups
    }
}

/// A step that is ready to be run.
enum CompiledStep: Sendable {
    case expect(Pattern)
    case expectBytes(ByteSearch)
    case expectLine(LinePattern, labels: [LabelTemplate])
    case expectExactly([UInt8])
    case send(SendTemplate)
    case sendBytes([UInt8])
    /// With a line feed after it; nothing is sent where it is empty.
    case sendLine(SendTemplate)
    case reject(Pattern)
    case startTLS
    case startTLSAgain

    var kind: DialogStepReport.Kind {
        switch self {
        case .expect, .expectLine: .expect
        case .expectBytes, .expectExactly: .expectHex
        case .send, .sendLine: .send
        case .sendBytes: .sendHex
        case .reject: .reject
        case .startTLS, .startTLSAgain: .startTLS
        }
    }
}

/// A label whose value is made of a match.
struct LabelTemplate: Sendable {
    let name: String
    let value: SendTemplate
}

/// Why a dialog cannot be held: its form, before anything is connected.
public struct DialogProblem: Error, Hashable, Sendable {
    /// The step's index.
    public let step: Int
    /// The step's member: `expect`, `expect_hex`, `send` or `send_hex`.
    public let member: String
    /// What is wrong, as the end of a sentence about the member.
    public let detail: String

    public init(step: Int, member: String, detail: String) {
        self.step = step
        self.member = member
        self.detail = detail
    }
}

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
    /// How often a conversation tries to begin such a match while there are too many.
    static let detachedMatchRetryMilliseconds = 1
    /// A match this long gives the others a turn before the conversation goes on.
    static let turnNanoseconds: Int64 = 500_000
    /// So many receives without a wait between them give the others a turn.
    static let receivesOfTurn = 8

    /// How long a stream has to be quiet before a match that ends with its last byte, and may thus still grow, counts.
    static let quietMilliseconds = 100
}
