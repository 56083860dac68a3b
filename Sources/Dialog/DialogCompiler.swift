internal import CheckModel

/// Compiles the steps of a dialog one by one: a step can refer to those before it.
struct DialogCompiler {
    let maximumSteps: Int
    private(set) var steps: [CompiledStep] = []
    private(set) var keptGroups: [Int: Set<Int>] = [:]
    private var names: Set<String> = []
    /// A pattern that a dialog has several times is compiled once.
    private var linePatterns: [String: LinePattern] = [:]

    init(maximumSteps: Int) {
        self.maximumSteps = maximumSteps
    }

    mutating func add(_ step: DialogStep) throws(DialogProblem) {
        do throws(Flaw) {
            guard steps.count < maximumSteps else {
                throw Flaw("is a step too many: a dialog has at most \(maximumSteps)")
            }
            steps.append(try compile(step))
        } catch {
            throw DialogProblem(step: steps.count, member: step.kind.rawValue, detail: error.detail)
        }
    }

    private mutating func compile(_ step: DialogStep) throws(Flaw) -> CompiledStep {
        switch step {
        case .expect(let text):
            guard !text.isEmpty else { throw Flaw("must not be empty") }
            try Self.require(text.utf8.count, atMost: DialogLimits.patternBytes)
            return .expect(try pattern(text))
        case .expectBytes(let bytes):
            guard !bytes.isEmpty else { throw Flaw("must not be empty") }
            try Self.require(bytes.count, atMost: DialogLimits.patternBytes)
            return .expectBytes(ByteSearch(bytes))
        case .expectLine(let text, let labels):
            try Self.require(text.utf8.count, atMost: DialogLimits.linePatternBytes)
            return try expectLine(text, labels)
        case .expectExactly(let bytes):
            guard !bytes.isEmpty else { throw Flaw("must not be empty") }
            try Self.require(bytes.count, atMost: DialogLimits.patternBytes)
            return .expectExactly(bytes)
        case .send(let text):
            try Self.require(text.utf8.count, atMost: DialogLimits.sendBytes)
            return .send(try template(text))
        case .sendBytes(let bytes):
            try Self.require(bytes.count, atMost: DialogLimits.sendBytes)
            return .sendBytes(bytes)
        case .sendExpanded(let text):
            try Self.require(text.count, atMost: DialogLimits.sendBytes)
            return .sendLine(kept(SendTemplate(expanding: text, resolve: groups)))
        case .reject(let text):
            guard !text.isEmpty else { throw Flaw("must not be empty") }
            try Self.require(text.utf8.count, atMost: DialogLimits.patternBytes)
            return .reject(try Pattern(text))
        case .startTLS:
            return .startTLS
        case .startTLSAgain:
            return .startTLSAgain
        }
    }

    private static func require(_ count: Int, atMost limit: Int) throws(Flaw) {
        guard count <= limit else { throw Flaw("has \(count) bytes, at most \(limit) are allowed") }
    }

    private mutating func expectLine(_ text: String, _ labels: [Label]) throws(Flaw) -> CompiledStep {
        let pattern: LinePattern
        if let known = linePatterns[text] { pattern = known } else { pattern = try LinePattern(Array(text.utf8)) }
        linePatterns[text] = pattern
        let templates = labels.map { label in
            let value = SendTemplate(expanding: Array(label.value.utf8)) {
                Self.groups($0, of: pattern.groups, step: steps.count)
            }
            return LabelTemplate(name: label.name, value: kept(value))
        }
        return .expectLine(pattern, labels: templates)
    }

    private mutating func pattern(_ text: String) throws(Flaw) -> Pattern {
        let pattern = try Pattern(text)
        names.formUnion(pattern.namedGroups.map(\.name))
        guard names.count <= DialogLimits.namedGroups else {
            throw Flaw("makes more than \(DialogLimits.namedGroups) named groups in one dialog")
        }
        return pattern
    }

    private mutating func template(_ text: String) throws(Flaw) -> SendTemplate {
        kept(try SendTemplate(text) { (reference) throws(Flaw) in try resolve(reference) })
    }

    /// Notes the groups that the template needs.
    private mutating func kept(_ template: SendTemplate) -> SendTemplate {
        for case .groups(let keys) in template.segments {
            for key in keys { keptGroups[key.step, default: []].insert(key.group) }
        }
        return template
    }

    /// The groups of the nearest expectation; none if it has no such group, or there is no expectation.
    private func groups(_ reference: SendTemplate.Reference) -> [GroupKey] {
        for (index, step) in steps.enumerated().reversed() {
            switch step {
            case .expect(let pattern): return Self.groups(reference, of: pattern.groups, step: index)
            case .expectLine(let pattern, _): return Self.groups(reference, of: pattern.groups, step: index)
            case .expectBytes, .expectExactly, .send, .sendBytes, .sendLine, .reject, .startTLS, .startTLSAgain:
                continue
            }
        }
        return []
    }

    private static func groups(
        _ reference: SendTemplate.Reference, of groups: PatternGroups, step: Int
    ) -> [GroupKey] {
        switch reference {
        case .number(let number):
            number <= groups.count ? [GroupKey(step: step, group: number)] : []
        case .name(let name):
            groups.names.filter { $0.name == name }.map { GroupKey(step: step, group: $0.number) }
        }
    }

    private func resolve(_ reference: SendTemplate.Reference) throws(Flaw) -> [GroupKey] {
        for (index, step) in steps.enumerated().reversed() {
            guard case .expect(let pattern) = step else { continue }
            switch reference {
            case .number(let number):
                guard number <= pattern.groupCount else {
                    throw Flaw("knows no group \(number): the expect before it has \(pattern.groupCount)")
                }
                return [GroupKey(step: index, group: number)]
            case .name(let name):
                let groups = pattern.namedGroups.filter { $0.name == name }
                if !groups.isEmpty { return groups.map { GroupKey(step: index, group: $0.number) } }
            }
        }
        switch reference {
        case .number(let number): throw Flaw("knows no group \(number): no expect comes before it")
        case .name(let name): throw Flaw("knows no group \(name): no expect before it has one of that name")
        }
    }
}

/// What is wrong with a step, without its place.
struct Flaw: Error {
    let detail: String
    /// Whether it says nothing about the step, because memory is short.
    let isShortage: Bool

    init(_ detail: String, isShortage: Bool = false) {
        self.detail = detail
        self.isShortage = isShortage
    }
}

/// The capturing groups of a pattern.
struct PatternGroups: Sendable {
    let count: Int
    /// In the order of their numbers; a name can occur more than once.
    let names: [(name: String, number: Int)]
}

/// A group of the pattern of an earlier step.
struct GroupKey: Hashable, Sendable {
    let step: Int
    let group: Int
}

extension DialogStep {
    var kind: DialogStepReport.Kind {
        switch self {
        case .expect, .expectLine: .expect
        case .expectBytes, .expectExactly: .expectHex
        case .send, .sendExpanded: .send
        case .sendBytes: .sendHex
        case .reject: .reject
        case .startTLS, .startTLSAgain: .startTLS
        }
    }
}
