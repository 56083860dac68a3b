internal import CheckEngine
internal import CheckModel
internal import NetworkTypes
internal import StrictJSON

/// Reads the body of `/v1/diagnoses`: members of a check, a control target, and the time for all of it.
enum DiagnosisDecoder {
    static let defaultTimeoutMilliseconds = 20_000

    /// The members that a diagnosis passes to its checks. It sets the others itself.
    private static let membersOfCheck: [StaticString] = ["target", "resolve", "bind", "socket", "tls", "preset"]

    /// - Parameter maximumTimeoutMilliseconds: the configured limit, at most 60000.
    static func decode(
        _ document: JSONValue, maximumTimeoutMilliseconds: Int
    ) throws(JSONProblems) -> DiagnosisRequest {
        try JSONObjectReader.decode(document) { reader in
            let timeout = reader.integer("timeout_ms", in: 1...maximumTimeoutMilliseconds)
            let control = reader.member("control", TargetDecoder.target)
            guard let check = check(&reader) else { return nil }
            return DiagnosisRequest(
                check: check, control: control.map { PreparedCheck(request: CheckRequest(target: $0)) },
                timeoutMilliseconds: timeout ?? min(defaultTimeoutMilliseconds, maximumTimeoutMilliseconds))
        }
    }

    private static func check(_ reader: inout JSONObjectReader) -> PreparedCheck? {
        var members: [JSONObject.Member] = []
        for name in membersOfCheck {
            guard let value = reader.value(name) else { continue }
            members.append(JSONObject.Member(key: "\(name)", value: value))
        }
        do throws(JSONProblems) {
            return try CheckDecoder.decode(
                .object(JSONObject(members: members)),
                maximumTimeoutMilliseconds: CheckDecoder.defaultTimeoutMilliseconds)
        } catch {
            reader.problems.appendAll(error)
            return nil
        }
    }
}
