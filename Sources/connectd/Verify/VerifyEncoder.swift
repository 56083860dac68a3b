import CheckModel
import Configuration
import ConnectAPI
import NetworkTypes
import Reachability
import StrictJSON

/// Writes cases as JSON: the verdict, followed by the members of a check's result. `ok` is true for a pass.
struct VerifyEncoder {
    let policy: ReachabilityPolicy
    let results: ResultEncoder
    let plan: VerifyPlan
    /// The state of each control of the plan; `none` for one that no verdict depends on.
    let controls: [ControlState]

    /// One object, without a line end.
    func object(_ verified: VerifiedCase, of request: CheckRequest) -> [UInt8] {
        let rule = policy.rules[verified.reachabilityCase.rule]
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("rule")
        writer.string(rule.name)
        writer.member("line")
        writer.integer(rule.position.line)
        writer.member("expect")
        writer.string(rule.expectation?.text)
        writer.member("verdict")
        writer.string(verified.verdict.rawValue)
        writer.member("reason")
        writer.string(verified.judgment.reason)
        writer.member("destination")
        writer.string(verified.reachabilityCase.destination)
        writer.member("port")
        writer.string(verified.reachabilityCase.port?.text)
        if rule.from != nil {
            writer.member("place")
            writer.string(verified.reachabilityCase.place?.text ?? "here")
        }
        let control = plan.control(of: verified.reachabilityCase).map { controls[$0] } ?? .none
        if let target = rule.control, control != .none {
            writer.member("control")
            writer.beginObject()
            writer.member("target")
            writer.string(target.text)
            writer.member("open")
            writer.bool(control == .open)
            writer.endObject()
        }
        writer.endObject()
        // The place's own name for itself is not known here.
        let results = verified.reachabilityCase.place == nil ? results : ResultEncoder(prober: nil)
        let result = results.line(verified.result.judged(verified.verdict == .pass), of: request)
        // Both are objects: the second continues the first.
        return writer.finish().dropLast() + [UInt8(ascii: ",")] + result.dropFirst().dropLast()
    }

    /// One difference, without a line end.
    static func object(_ change: CaseChange) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("change")
        writer.string(change.word)
        if let record = change.after ?? change.before {
            writer.member("rule")
            writer.string(record.rule)
            writer.member("target")
            writer.string(record.target)
            if let place = record.place {
                writer.member("place")
                writer.string(place)
            }
        }
        writer.member("before")
        write(change.before, to: &writer)
        writer.member("after")
        write(change.after, to: &writer)
        writer.endObject()
        return writer.finish()
    }

    private static func write(_ record: CaseRecord?, to writer: inout JSONWriter) {
        guard let record else { return writer.null() }
        writer.beginObject()
        writer.member("verdict")
        writer.string(record.verdict)
        writer.member("outcome")
        writer.string(record.outcome)
        writer.endObject()
    }
}

extension CheckResult {
    /// The same result with another value of `ok`.
    fileprivate func judged(_ isPass: Bool) -> CheckResult {
        CheckResult(
            ok: isPass, outcome: outcome, phase: phase, error: error, attempts: attempts, resolution: resolution,
            reports: reports, timings: timings, rounds: rounds, startedAtNanoseconds: startedAtNanoseconds)
    }
}
