internal import StrictJSON

/// What a case was at one time.
package struct CaseRecord: Hashable, Sendable {
    package let rule: String
    package let target: String
    /// The place of a rule with `from`; nil for other rules.
    package let place: String?
    /// `pass`, `violation`, `error` or `inconclusive`.
    package let verdict: String
    package let outcome: String

    package init(rule: String, target: String, place: String? = nil, verdict: String, outcome: String) {
        self.rule = rule
        self.target = target
        self.place = place
        self.verdict = verdict
        self.outcome = outcome
    }

    /// `pass (refused)`.
    package var state: String { "\(verdict) (\(outcome))" }

    /// Reads a line of `connectd verify --format ndjson`.
    /// - Throws: why it is not such a line.
    package init(line: [UInt8]) throws(PolicyError) {
        let value: JSONValue
        do throws(JSONSyntaxError) {
            value = try JSONValue.parse(line)
        } catch {
            let predicate = error.kind == .grammar ? "is not JSON" : error.predicate
            throw PolicyError("\(predicate): column \(error.column): \(error.detail)")
        }
        guard let record = CaseRecord(value) else {
            throw PolicyError("has no rule, target, verdict and outcome: give the output of verify --format ndjson")
        }
        self = record
    }

    private init?(_ value: JSONValue) {
        guard case .object(let object) = value, case .string(let rule) = object["rule"],
            case .string(let target) = object["target"], case .string(let verdict) = object["verdict"],
            case .string(let outcome) = object["outcome"]
        else { return nil }
        var place: String?
        if case .string(let name)? = object["place"] { place = name }
        self.init(rule: rule, target: target, place: place, verdict: verdict, outcome: outcome)
    }
}

/// One difference between two runs.
package enum CaseChange: Hashable, Sendable {
    case changed(before: CaseRecord, after: CaseRecord)
    case new(CaseRecord)
    case gone(CaseRecord)

    /// `changed`, `new` or `gone`.
    package var word: String {
        switch self {
        case .changed: "changed"
        case .new: "new"
        case .gone: "gone"
        }
    }

    package var before: CaseRecord? {
        switch self {
        case .changed(let before, _): before
        case .gone(let record): record
        case .new: nil
        }
    }

    package var after: CaseRecord? {
        switch self {
        case .changed(_, let after): after
        case .new(let record): record
        case .gone: nil
        }
    }
}

/// What changed between two runs. A case is the same in both if rule, target and place are.
package struct VerificationDiff: Sendable {
    /// In the order of the new run; what is gone comes last.
    package let changes: [CaseChange]
    package let unchanged: Int

    private struct Key: Hashable {
        let rule: String
        let target: String
        let place: String?

        init(_ record: CaseRecord) {
            rule = record.rule
            target = record.target
            place = record.place
        }
    }

    package init(from before: [CaseRecord], to after: [CaseRecord]) {
        var earlier: [Key: CaseRecord] = [:]
        for record in before { earlier[Key(record)] = record }
        var changes: [CaseChange] = []
        var unchanged = 0
        for record in after {
            switch earlier.removeValue(forKey: Key(record)) {
            case nil: changes.append(.new(record))
            case record: unchanged += 1
            case let old?: changes.append(.changed(before: old, after: record))
            }
        }
        // A case that appears twice in the old file is gone only once.
        let gone = before.filter { earlier.removeValue(forKey: Key($0)) != nil }
        self.changes = changes + gone.map(CaseChange.gone)
        self.unchanged = unchanged
    }

    /// `2 changed, 1 new, 0 gone, 40 unchanged`.
    package var summary: String {
        let counts = ["changed", "new", "gone"].map { word in
            let count = changes.count { $0.word == word }
            return "\(count) \(word)"
        }
        return (counts + ["\(unchanged) unchanged"]).joined(separator: ", ")
    }
}
