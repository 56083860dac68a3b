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
