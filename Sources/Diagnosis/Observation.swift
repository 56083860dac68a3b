/// What an experiment saw.
public struct Observation: Hashable, Sendable {
    public let sign: Sign
    /// One sentence.
    public let text: String
    public let evidence: Evidence

    public init(_ sign: Sign, _ text: String, _ evidence: Evidence = Evidence()) {
        self.sign = sign
        self.text = text
        self.evidence = evidence
    }
}

/// The values that an observation rests on, in the order in which they are shown.
public struct Evidence: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    public struct Member: Hashable, Sendable {
        public let name: String
        public let value: EvidenceValue
    }
    public private(set) var members: [Member] = []

    public init() {}

    /// Members without a value are left out.
    public init(dictionaryLiteral elements: (String, EvidenceValue?)...) {
        members = elements.compactMap { name, value in value.map { Member(name: name, value: $0) } }
    }

    /// The value as text; nil if there is none.
    public func text(_ name: String) -> String? {
        switch members.first(where: { $0.name == name })?.value {
        case .text(let text): text
        case .integer(let number): String(number)
        case .texts(let texts): texts.joined(separator: ", ")
        case nil: nil
        }
    }
}

/// One value of the evidence.
public enum EvidenceValue: Hashable, Sendable {
    case text(String)
    case integer(Int)
    case texts([String])
}
