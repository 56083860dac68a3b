import CheckModel

/// The hints of many results: each is shown once per cause, with the number of targets that it is about.
///
/// A cause is a name, a fault and a hint. Where targets of one cause have different values, such as the senders of ICMP
/// messages, the hint has the first few of them.
struct HintCollection {
    private struct Cause: Hashable {
        let name: String
        let fault: Fault?
        let hint: String
    }

    private struct Entry {
        let cause: Cause
        var count = 0
        var values: [CommandLineHint.Value: [String]] = [:]
    }

    private static let shownCauses = 20
    private static let shownValues = 3
    /// More values are not told apart.
    private static let countedValues = 1000

    private let acceptance: String
    private var indices: [Cause: Int] = [:]
    private var entries: [Entry] = []

    /// - Parameter acceptance: the flag by which the caller accepts a datagram socket that heard nothing.
    init(acceptance: String = "--expect associated") {
        self.acceptance = acceptance
    }

    /// The hint of one result: what was wrong, whose side it is on, and what helps; nil where nothing was wrong.
    static func text(
        for result: CheckResult, of request: CheckRequest, acceptance: String = "--expect associated"
    ) -> String? {
        if result.isUnverified(request) { return Unverified.hint(acceptance: acceptance) }
        guard !result.ok, let error = result.error else { return nil }
        return "fault: \(error.fault.rawValue). \(HintValues.hint(for: result, of: request) ?? error.hint)"
    }

    mutating func add(_ result: CheckResult, of request: CheckRequest) {
        if result.isUnverified(request) {
            let hint = Unverified.hint(acceptance: acceptance)
            count(Cause(name: "not verified", fault: nil, hint: hint), [:])
        } else if !result.ok, let error = result.error {
            let cause = Cause(name: error.name, fault: error.fault, hint: error.hint)
            count(cause, HintValues.values(for: error, result, request))
        }
    }

    private mutating func count(_ cause: Cause, _ values: [CommandLineHint.Value: String]) {
        let index = indices[cause] ?? entries.count
        if index == entries.count {
            indices[cause] = index
            entries.append(Entry(cause: cause))
        }
        entries[index].count += 1
        for (value, text) in values where entries[index].values[value, default: []].count < Self.countedValues {
            if entries[index].values[value]?.contains(text) != true {
                entries[index].values[value, default: []].append(text)
            }
        }
    }

    /// A line for each cause, the most frequent first.
    var lines: [String] {
        let sorted = entries.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
        let shown = sorted.prefix(Self.shownCauses).map { Self.line($0.element) }
        let hidden = sorted.count - shown.count
        return shown + (hidden > 0 ? ["and \(hidden) more causes, which --json shows"] : [])
    }

    private static func line(_ entry: Entry) -> String {
        let targets = "\(entry.count) \(entry.count == 1 ? "target" : "targets")"
        let fault = entry.cause.fault.map { "fault: \($0.rawValue). " } ?? ""
        let hint = CommandLineHint(entry.cause.hint).text(entry.values.mapValues(joined))
        return TerminalText.clean("\(targets), \(entry.cause.name): \(fault)\(hint)")
    }

    private static func joined(_ texts: [String]) -> String {
        let shown = texts.prefix(shownValues)
        guard texts.count > shown.count else {
            return shown.count == 1
                ? shown[0] : "\(shown.dropLast().joined(separator: ", ")) or \(shown[shown.count - 1])"
        }
        return "\(shown.joined(separator: ", ")) and \(texts.count - shown.count) more"
    }
}
