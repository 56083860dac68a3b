public import ErrorCatalogue

/// What one place found, as far as the verdict needs it.
public struct SurveyVote: Sendable, Equatable {
    public var place: String
    public var labels: [String: String]
    public var isOK: Bool
    /// Whether the target did not answer at all: outcome `timeout` without an ICMP message.
    public var isSilent: Bool
    /// The fault of a failure; nil if the check succeeded.
    public var fault: Fault?
    /// The sender of an ICMP message, or the last hop of a trace that answered; nil if neither is known.
    public var lastResponder: String?

    public init(
        place: String, labels: [String: String] = [:], isOK: Bool, isSilent: Bool = false, fault: Fault? = nil,
        lastResponder: String? = nil
    ) {
        self.place = place
        self.labels = labels
        self.isOK = isOK
        self.isSilent = isSilent
        self.fault = fault
        self.lastResponder = lastResponder
    }

    /// Whether the result counts: a fault of the prober, the request or the resolver says nothing about the target.
    public var counts: Bool { fault?.isAboutTarget ?? true }
}

/// What the places found together: a pure function of their votes.
public struct SurveyVerdict: Sendable, Equatable {
    public enum Conclusion: String, Sendable {
        case up, down, partial, undetermined
    }

    /// Where the failure is.
    public enum Location: String, Sendable {
        case target, path, prober, unknown
    }

    /// A label that all places that failed have with this value, and no place that succeeded.
    public struct SeparatingLabel: Sendable, Equatable {
        public var name: String
        public var value: String
    }

    public var conclusion: Conclusion
    public var location: Location?
    /// With `partial` only.
    public var label: SeparatingLabel?

    init(_ conclusion: Conclusion, _ location: Location? = nil, label: SeparatingLabel? = nil) {
        self.conclusion = conclusion
        self.location = location
        self.label = label
    }

    /// - Parameters:
    ///   - votes: the results of the places that finished.
    ///   - quorum: how many results must count, at least 1.
    public init(_ votes: [SurveyVote], quorum: Int) {
        let counted = votes.filter(\.counts)
        let failed = counted.filter { !$0.isOK }
        if counted.count < max(quorum, 1) {
            let areProbersAtFault = !votes.isEmpty && votes.allSatisfy { $0.fault == .prober }
            self.init(.undetermined, areProbersAtFault ? .prober : nil)
        } else if failed.isEmpty {
            self.init(.up)
        } else if failed.count < counted.count {
            self.init(.partial, label: Self.label(separating: failed, from: counted.filter(\.isOK)))
        } else {
            self.init(.down, Self.location(of: failed))
        }
    }

    /// - Parameter failed: all counted results, none of them ok.
    private static func location(of failed: [SurveyVote]) -> Location {
        if failed.contains(where: { $0.fault == .target }) { return .target }
        guard let responder = failed[0].lastResponder else { return .unknown }
        return failed.allSatisfy { $0.lastResponder == responder } ? .path : .unknown
    }

    /// The first label, in the order of names, that distinguishes the two sides.
    private static func label(separating failed: [SurveyVote], from ok: [SurveyVote]) -> SeparatingLabel? {
        for (name, value) in failed[0].labels.sorted(by: { $0.key < $1.key }) {
            let isShared = failed.allSatisfy { $0.labels[name] == value }
            if isShared, ok.allSatisfy({ $0.labels[name] != value }) {
                return SeparatingLabel(name: name, value: value)
            }
        }
        return nil
    }
}
