public import CheckModel

/// A dialog that can run any number of times: limits checked, patterns compiled, references resolved.
///
/// Patterns are PCRE2 over bytes; those of `expectLine` are RE2 over characters. `^` and `$` match at line ends (CR, LF,
/// CRLF). In `send`, `${name}` is the group of that name in the nearest `expect` before it that has one. `${1}` is the
/// numbered group of the nearest `expect` before it, and `${0}` its whole match. A group that took no part in the match is
/// empty. `$${` sends `${`; any other `$` is itself.
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

    /// What the dialog sends before it receives anything, for TCP Fast Open; empty if it begins in another way.
    public var firstBytes: [UInt8] {
        switch steps.first {
        case .send(let template): template.filled(with: [:]) ?? []
        case .sendBytes(let bytes): bytes
        case .expect, .expectBytes, .expectLine, .expectExactly, .sendLine, .reject, .startTLS, .startTLSAgain, nil: []
        }
    }

    private init(steps: [DialogStep], atMost limit: Int) throws(DialogProblem) {
        var compiler = DialogCompiler(maximumSteps: limit)
        for step in steps { try compiler.add(step) }
        self.steps = compiler.steps
        keptGroups = compiler.keptGroups
    }
}

/// A step that is ready to run.
enum CompiledStep: Sendable {
    case expect(Pattern)
    case expectBytes(ByteSearch)
    case expectLine(LinePattern, labels: [LabelTemplate])
    case expectExactly([UInt8])
    case send(SendTemplate)
    case sendBytes([UInt8])
    /// With a line feed after it; an empty one sends nothing.
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

/// A label whose value comes from a match.
struct LabelTemplate: Sendable {
    let name: String
    let value: SendTemplate
}

/// Why a dialog cannot run. It is found before anything is connected.
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

/// How large a dialog may be, and how much of the worker's time it may use.
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
    /// Of one `send` with its groups. No datagram is that large, so that the kernel reports EMSGSIZE.
    static let filledSendBytes = 1 << 20
    /// Named groups of all patterns together: they are in the result.
    static let namedGroups = 64
    /// What a step shows of what it received, and the result of a group.
    static let shownBytes = 1024

    /// What was received and no pattern has matched yet. The oldest bytes are dropped.
    static let unmatchedBytes = 65536
    /// How many bytes before the unmatched ones are kept for `^`, `\b` and lookbehind.
    static let contextBytes = 4096
    /// The most that one receive takes from a stream. A message must be received whole, because its rest is lost.
    static let streamReceiveBytes = 16384
    static let messageReceiveBytes = 65536

    /// CPU time of one match, which it can exceed by 1.5 ms. A worker serves thousands of checks: none may keep it longer.
    static let matchNanoseconds: Int64 = 3_500_000
    /// CPU time of all matches of a dialog, against peers that send an expensive pattern's input byte by byte.
    static let dialogNanoseconds: Int64 = 100_000_000
    /// RE2 takes about 10 ns for each instruction and byte, at worst: a worker spends at most some 3 ms in a match.
    static let inlineMatchSteps = 1 << 18
    /// How many matches with more steps than that may run at once, each on its own thread.
    static let detachedMatches = 8
    /// How often a dialog tries to begin such a match while too many of them run.
    static let detachedMatchRetryMilliseconds = 1
    /// After a match that takes longer, other tasks get a turn.
    static let turnNanoseconds: Int64 = 500_000
    /// A match that ends with the last received byte may still grow. It counts after the stream was quiet for this time.
    static let quietMilliseconds = 100
}
