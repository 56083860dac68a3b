import AccessPolicy
import CheckEngine
import ErrorCatalogue
import NetworkTypes
import StrictJSON

/// The output of `connectd policy --json`.
enum PolicyDocument {
    static func bytes(of judged: [JudgedTarget], _ policy: Policy) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for target in judged { write(target, policy, to: &writer) }
        writer.endArray()
        return writer.finishLine()
    }

    private static func write(_ judged: JudgedTarget, _ policy: Policy, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("target")
        writer.string(judged.target.text)
        writer.member("state")
        writer.string(judged.state.rawValue)
        switch judged.judgment {
        case .failure(let failure):
            writer.member("error")
            writer.string(Classifier.report(for: failure).name)
        case .success(let judgment):
            writer.member("names")
            writer.beginArray()
            for name in judgment.names {
                let reason = name.decision.rule == nil ? "no rule denies the name" : nil
                write(name.decision, policy, of: ("name", name.name), reason: reason, to: &writer)
            }
            writer.endArray()
            writer.member("addresses")
            writer.beginArray()
            for endpoint in judgment.endpoints {
                write(
                    endpoint.decision, policy, of: ("address", PolicyText.name(of: endpoint.endpoint)), to: &writer)
            }
            writer.endArray()
        }
        writer.endObject()
    }

    private static func write(
        _ decision: PolicyDecision, _ policy: Policy, of subject: (member: StaticString, value: String),
        reason: String? = nil, to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member(subject.member)
        writer.string(subject.value)
        writer.member("allowed")
        writer.bool(decision.verdict == .allow)
        writer.member("rule")
        if let rule = decision.rule { writer.integer(rule) } else { writer.null() }
        writer.member("reason")
        writer.string(reason ?? PolicyText.reason(of: decision, policy))
        writer.endObject()
    }
}
