import ArgumentParser
import CheckModel
import NetworkTypes
import StrictJSON

/// The results of an earlier run, for `--skip-done`: which targets need no check.
///
/// A result counts unless its check was denied, invalid or cancelled, or failed by a fault of the prober. Each result
/// skips one check with the same target and `id`.
struct FinishedTargets {
    private struct Key: Hashable {
        let id: String?
        let target: String
    }

    private struct Tally {
        var ok = 0
        var failed = 0
    }

    private var tallies: [Key: Tally] = [:]
    /// Lines that are not results, such as a truncated last line.
    private(set) var ignoredLines = 0
    /// Results in the file.
    private(set) var resultCount = 0

    /// - Parameter name: The output of `check --ndjson`.
    /// - Throws: `ValidationError` if the file cannot be read, or has lines but no result.
    init(file name: String) throws {
        try LineReader.forEachLine(of: name) { line, _ in
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
            guard let value = try? JSONValue.parse(Array(line), limits: JSONLimits(values: 1 << 20)), add(value) else {
                ignoredLines += 1
                return
            }
            resultCount += 1
        }
        if resultCount == 0, ignoredLines > 1 {
            throw ValidationError(
                "--skip-done \(TerminalText.clean(name)) has no results: name a file that check --ndjson wrote")
        }
    }

    /// - Returns: Whether the value is a result.
    private mutating func add(_ value: JSONValue) -> Bool {
        guard case .object(let object) = value, case .string(let target)? = object["target"],
            case .string(let outcome)? = object["outcome"], case .bool(let isOK)? = object["ok"]
        else { return false }
        guard Self.isFinal(outcome, object["error"]) else { return true }
        var id: String?
        if case .string(let text)? = object["id"] { id = text }
        if isOK {
            tallies[Key(id: id, target: target), default: Tally()].ok += 1
        } else {
            tallies[Key(id: id, target: target), default: Tally()].failed += 1
        }
        return true
    }

    private static func isFinal(_ outcome: String, _ error: JSONValue?) -> Bool {
        if ["cancelled", "denied", "invalid"].contains(outcome) { return false }
        guard case .object(let error)? = error, case .string(let fault)? = error["fault"] else { return true }
        return fault != "prober"
    }

    /// Uses up one result of the check.
    /// - Returns: Whether it was ok; nil if there is no result left.
    mutating func take(_ request: CheckRequest) -> Bool? {
        let key = Key(id: request.id, target: request.target.text)
        guard var tally = tallies[key] else { return nil }
        // A check that failed counts first, so that no failure is lost.
        let isOK = tally.failed == 0
        if isOK { tally.ok -= 1 } else { tally.failed -= 1 }
        tallies[key] = tally.ok + tally.failed > 0 ? tally : nil
        return isOK
    }
}
