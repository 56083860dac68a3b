package import CheckEngine
internal import CheckModel
package import StrictJSON

/// Reads the JSON of one check. Everything that is wrong with it is found at once, each with its pointer.
package enum CheckDecoder {
    package static let defaultTimeoutMilliseconds = 5000

    /// - Parameter maximumTimeoutMilliseconds: what the configuration allows, at most 60000.
    package static func decode(
        _ document: JSONValue, maximumTimeoutMilliseconds: Int
    ) throws(JSONProblems) -> PreparedCheck {
        try JSONObjectReader.decode(document) { reader in
            check(&reader, maximumTimeoutMilliseconds)
        }
    }

    private static func check(
        _ reader: inout JSONObjectReader, _ maximumTimeout: Int
    ) -> PreparedCheck? {
        reader.require("target")
        let target = reader.member("target", TargetDecoder.target)
        let id = reader.string("id", maximumLength: 1024)
        let labels = reader.stringMap("labels", maximumMembers: 64, maximumLength: 1024)
        let timeout = reader.integer("timeout_ms", in: 1...maximumTimeout)
        let resolve = reader.object("resolve", OptionsDecoder.resolve)
        let bind = reader.object("bind", OptionsDecoder.bind)
        let socket = reader.object("socket", OptionsDecoder.socket)
        let steps = reader.array("dialog", count: 1...64, DialogDecoder.step)
        let expectation = reader.member("expect", ExpectationDecoder.expectation)
        guard let target else { return nil }
        var request = CheckRequest(
            target: target, timeoutMilliseconds: timeout ?? min(defaultTimeoutMilliseconds, maximumTimeout))
        request.id = id
        request.labels = labels?.map { Label(name: $0.key, value: $0.value) }
        request.resolve = resolve ?? ResolveOptions()
        request.bind = bind ?? BindOptions()
        request.socket = socket ?? SocketOptions()
        request.dialog = steps ?? []
        request.expectation = expectation ?? .transportSuccess
        ConsistencyRules.judge(request, &reader)
        return PreparedCheck(request: request, dialog: dialog(of: request, &reader))
    }

    private static func dialog(of request: CheckRequest, _ reader: inout JSONObjectReader) -> Dialog? {
        guard !request.dialog.isEmpty else { return nil }
        do throws(DialogProblem) {
            return try Dialog(steps: request.dialog)
        } catch {
            reader.report(at: ["dialog", String(error.step), error.member], error.detail)
            return nil
        }
    }
}
