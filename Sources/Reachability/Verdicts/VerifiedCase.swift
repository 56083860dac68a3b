package import CheckModel

/// A case with its result and the verdict on it.
package struct VerifiedCase: Sendable {
    package let reachabilityCase: ReachabilityCase
    package let result: CheckResult
    package let judgment: Judgment

    package init(_ reachabilityCase: ReachabilityCase, _ result: CheckResult, _ judgment: Judgment) {
        self.reachabilityCase = reachabilityCase
        self.result = result
        self.judgment = judgment
    }

    package var verdict: Verdict { judgment.verdict }
}

/// The numbers of cases by verdict.
package struct VerdictTally: Hashable, Sendable {
    private var counts: [Verdict: Int] = [:]

    package init() {}

    package mutating func add(_ verdict: Verdict) {
        counts[verdict, default: 0] += 1
    }

    package subscript(_ verdict: Verdict) -> Int { counts[verdict] ?? 0 }

    package var total: Int { counts.values.reduce(0, +) }

    /// 0 if all pass, 1 with a violation, 3 with errors or inconclusive cases alone.
    package var exitStatus: Int32 {
        if self[.violation] > 0 { return 1 }
        return self[.error] + self[.inconclusive] > 0 ? 3 : 0
    }

    /// `3 pass, 1 violation`; zeros are left out.
    package var text: String {
        let parts = Verdict.allCases.compactMap { verdict -> String? in
            let count = self[verdict]
            guard count > 0 else { return nil }
            let isPlural = count > 1 && (verdict == .violation || verdict == .error)
            return "\(count) \(verdict.rawValue)\(isPlural ? "s" : "")"
        }
        return parts.isEmpty ? "no cases" : parts.joined(separator: ", ")
    }
}
