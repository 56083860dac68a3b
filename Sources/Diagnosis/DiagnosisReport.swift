internal import CheckModel

/// The answer of a diagnosis: what is wrong, how certain that is, and why.
public struct DiagnosisReport: Hashable, Sendable {
    public let verdict: DiagnosisVerdict
    /// One sentence about the target and the causes that remain.
    public let sentence: String
    public let confidence: Confidence
    /// The causes that the sentence names; empty for `ok`.
    public let causes: [Cause]
    public let findings: [Finding]
    public let ruledOut: [RuledOutCause]
    public let next: [NextCommand]

    public init(
        verdict: DiagnosisVerdict, sentence: String, confidence: Confidence, causes: [Cause], findings: [Finding],
        ruledOut: [RuledOutCause], next: [NextCommand]
    ) {
        self.verdict = verdict
        self.sentence = sentence
        self.confidence = confidence
        self.causes = causes
        self.findings = findings
        self.ruledOut = ruledOut
        self.next = next
    }
}

/// The party that must act; `ok` if the target works from here, `unknown` if the causes belong to several parties.
public enum DiagnosisVerdict: String, CaseIterable, Sendable {
    case ok, target, network, prober, resolver, request, unknown
}

public enum Confidence: String, CaseIterable, Sendable {
    /// An observation proves the cause.
    case certain
    /// An observation points to the cause, and to no other.
    case likely
    /// From here, several causes look the same.
    case possible
}

/// One observation in the report, with the party that it points to.
public struct Finding: Hashable, Sendable {
    public let sign: Sign
    /// `unknown` if it points to several parties, or to none; `ok` if it shows that something works.
    public let supports: DiagnosisVerdict
    public let observation: String
    public let evidence: Evidence

    public init(sign: Sign, supports: DiagnosisVerdict, observation: String, evidence: Evidence) {
        self.sign = sign
        self.supports = supports
        self.observation = observation
        self.evidence = evidence
    }
}

/// A cause that an observation excludes.
public struct RuledOutCause: Hashable, Sendable {
    public let cause: Cause
    /// The observation.
    public let because: String

    public init(cause: Cause, because: String) {
        self.cause = cause
        self.because = because
    }
}

/// A command that narrows the causes down.
public struct NextCommand: Hashable, Sendable {
    public enum Location: String, CaseIterable, Sendable {
        /// On the prober.
        case here
        case target
        /// On a machine between the prober and the target.
        case path
    }
    /// Ready for a shell.
    public let command: String
    public let location: Location
    public let why: String

    public init(_ command: String, on location: Location, _ why: String) {
        self.command = command
        self.location = location
        self.why = why
    }
}
