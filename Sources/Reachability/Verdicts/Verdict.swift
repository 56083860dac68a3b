internal import CheckModel

/// The verdict on one case.
package enum Verdict: String, CaseIterable, Sendable {
    case pass, violation, error, inconclusive
}

/// A verdict with its reason.
package struct Judgment: Hashable, Sendable {
    package let verdict: Verdict
    /// One sentence: why the verdict is not `pass`, or what a pass does not show. nil for a plain pass.
    package let reason: String?
    package let finding: Finding

    package init(_ verdict: Verdict, _ finding: Finding, _ reason: String? = nil) {
        self.verdict = verdict
        self.finding = finding
        self.reason = reason
    }
}

/// What a result says about the path to the target.
package enum Finding: Hashable, Sendable {
    /// It connected, or the peer answered.
    case open
    /// The target itself refused.
    case closed
    /// The target itself reset the connection.
    case reset
    /// Something on the way blocked it.
    case blocked
    /// The path is open, but a later phase failed.
    case reached
    /// Nothing is known: a datagram socket asked nothing.
    case silent
    /// A datagram socket asked, and no answer came.
    case unanswered
    /// The check could not be tried.
    case untested
}

/// The state of a rule's control target.
package enum ControlState: Hashable, Sendable {
    /// The rule has none.
    case none
    /// It was open before and after the cases.
    case open
    /// It was not open.
    /// - Parameter outcome: what was found instead.
    case notOpen(target: String, outcome: String)
}
