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
        let tls = reader.member("tls", TLSDecoder.choice)
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
        let isTLSOff = settleTLS(of: &request, by: tls, isGiven: reader.value("tls") != nil)
        request.expectation = expectation ?? .transportSuccess
        for flaw in ConsistencyRules.flaws(of: request, isTLSOff: isTLSOff) {
            reader.report(at: flaw.path, flaw.detail)
        }
        let dialog = dialog(of: request, &reader)
        return PreparedCheck(request: request, dialog: dialog)
    }

    /// `tls` asks for a handshake, or refines that of a `tls://` target.
    /// - Returns: whether the request says that it wants none.
    private static func settleTLS(
        of request: inout CheckRequest, by choice: TLSDecoder.Choice?, isGiven: Bool
    ) -> Bool {
        switch choice {
        case .on(let options):
            request.tls = options
            return false
        case .off: return true
        case nil:
            // What is there and wrong was reported, and is not to be blamed for what it lacks.
            if isGiven {
                request.tls = TLSOptions()
                request.tls?.verify = false
            }
            return false
        }
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
