@testable internal import Configuration
@testable internal import ConnectAPI
internal import NetworkTypes
@testable internal import Reachability
internal import StrictJSON

/// Files of `connectd verify`.
enum VerifyFuzz {
    /// A policy's cases are valid targets, as many as were counted. A problem has a position in the file.
    ///
    /// JSON is written as YAML, and reads back as the same value.
    static func run(_ bytes: [UInt8]) {
        if let value = try? JSONValue.parse(bytes, limits: JSONLimits(depth: 12)) { rewrite(value) }
        do throws(ConfigurationProblems) {
            let root = try YAMLDocument.compose(bytes, file: "policy.yaml")
            check(try PolicyReader.read(root, file: "policy.yaml", checkMembers: CheckDecoder.memberNames))
        } catch {
            expect(!error.problems.isEmpty, "an error without a problem")
            expectPositions(of: error.problems, in: bytes)
        }
    }

    private static func check(_ policy: ReachabilityPolicy) {
        expect(!policy.rules.isEmpty, "no rules")
        expect(Set(policy.rules.map(\.name)).count == policy.rules.count, "two rules of one name")
        let count = policy.rules.reduce(0) { $0 + $1.caseCount }
        expect((1...ReachabilityPolicy.caseLimit).contains(count), "\(count) cases")
        expect((0...3).contains(policy.pace.timeoutRetries ?? 0), "retry_timeouts")
        // A block of addresses with a range of ports has more cases than a fuzzer has time for.
        guard count <= 300 else { return }
        let cases = policy.cases()
        expect((1...count).contains(cases.count), "\(cases.count) cases of \(count)")
        for one in cases {
            expect(policy.rules.indices.contains(one.rule), "no such rule")
            expect((try? Target(parsing: one.target.text))?.peer == one.target.peer, "the text is another target")
        }
    }

    private static func rewrite(_ value: JSONValue) {
        guard value.isPlain else { return }
        let text = YAMLText.value(value)
        do throws(ConfigurationProblems) {
            guard let node = try YAMLDocument.compose(Array(text.utf8), file: "written.yaml") else { return }
            var reader = CheckReader()
            let again = reader.value(of: node, pointer: "")
            expect(reader.problems.isEmpty, "what was written is refused: \(text)")
            expect(again == value, "what was written reads back differently: \(text)")
        } catch {
            fatalError("what was written is not YAML: \(error): \(text)")
        }
    }
}

extension JSONValue {
    /// Whether it has neither numbers with a fraction, which become text, nor a key that YAML merges.
    fileprivate var isPlain: Bool {
        switch self {
        case .null, .bool, .integer: true
        case .string: true
        case .number: false
        case .array(let items): items.allSatisfy(\.isPlain)
        case .object(let object): object.members.allSatisfy { $0.value.isPlain }
        }
    }
}

/// Output of `connectd verify --format ndjson`: an earlier run, an empty line, and a later run.
enum RecordFuzz {
    /// Each case is in the difference once, and a run does not differ from itself.
    static func run(_ bytes: [UInt8]) {
        var runs: [[CaseRecord]] = [[]]
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if line.isEmpty { runs.append([]) }
            do throws(PolicyError) {
                runs[runs.count - 1].append(try CaseRecord(line: Array(line)))
            } catch {
                expectMessage(error.detail)
            }
        }
        compare(runs[0], runs.count > 1 ? runs[1] : [])
    }

    private static func compare(_ before: [CaseRecord], _ after: [CaseRecord]) {
        let diff = VerificationDiff(from: before, to: after)
        let (new, gone) = (diff.changes.count { $0.word == "new" }, diff.changes.count { $0.word == "gone" })
        let changed = diff.changes.count - new - gone
        expect(new + changed + diff.unchanged == after.count, "cases of the later run are missing")
        expect(gone + changed + diff.unchanged <= before.count, "more cases than the earlier run has")
        expectMessage(diff.summary)
        for case .changed(let old, let new) in diff.changes { expect(old != new, "a change without a difference") }
        let keys = Set(after.map { [$0.rule, $0.target] })
        guard keys.count == after.count else { return }
        expect(VerificationDiff(from: after, to: after).changes.isEmpty, "a run differs from itself")
    }
}
